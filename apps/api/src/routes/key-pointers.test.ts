import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestApi, type TestApi } from '../testing/api.ts'

let api: TestApi
beforeAll(async () => {
  api = await startTestApi()
})
afterAll(() => api[Symbol.asyncDispose]())

async function keysOf(event: object): Promise<unknown> {
  const { status, body } = await api.ask('POST', '/v1/events', { tenant: 'acme', type: 'order.made', ...event })
  expect(status).toBe(202)
  return (await api.ask('GET', `/v1/events/${body.id}`)).body.keys
}

test('an event has the business keys that its type reads out of the data, beside those of its publisher', async () => {
  const pointers = { order: '/order/id', customer: '/customer' }
  const put = await api.ask('PUT', '/v1/event-types/order.made', { key_pointers: pointers })
  expect([put.status, put.body.key_pointers]).toEqual([201, pointers])
  expect(await keysOf({ data: { order: { id: 'ord_42' }, customer: 7 } })).toEqual({ order: 'ord_42', customer: '7' })
  expect(await keysOf({ data: { order: { id: 'ord_42' } }, keys: { order: 'mine' } })).toEqual({ order: 'mine' })
  // What cannot be a key is none, and nobody is refused.
  expect(await keysOf({ data: { order: { id: 'x'.repeat(300) }, customer: null } })).toEqual({})
  expect(await keysOf({ data: 'a text' })).toEqual({})
  const { text } = await api.ask('POST', '/v1/events/batch', undefined, {
    text: '{"events":[{"tenant":"acme","type":"order.made","data":{"order":{"id":12345678901234567890}}}]}',
  })
  const { body } = await api.ask('GET', `/v1/events/${JSON.parse(text).results[0].event.id}`)
  expect(body.keys).toEqual({ order: '12345678901234567890' })
})

test('putting an event type without pointers takes them away, and events of the past keep their keys', async () => {
  await api.ask('PUT', '/v1/event-types/order.made', { key_pointers: { order: '/id' } })
  const first = await api.ask('POST', '/v1/events', { tenant: 'acme', type: 'order.made', data: { id: 'ord_1' } })
  expect((await api.ask('PUT', '/v1/event-types/order.made', {})).body.key_pointers).toEqual({})
  expect(await keysOf({ data: { id: 'ord_2' } })).toEqual({})
  expect((await api.ask('GET', `/v1/events/${first.body.id}`)).body.keys).toEqual({ order: 'ord_1' })
})

test.each([
  [{ order: 'id' }, '/key_pointers/order'],
  [{ order: '' }, '/key_pointers/order'],
  [{ order: '/a~2' }, '/key_pointers/order'],
  [{ order: '$.id' }, '/key_pointers/order'],
  [{ order: `/${'x'.repeat(300)}` }, '/key_pointers/order'],
  [{ order: 7 }, '/key_pointers/order'],
  [{ 'no blanks': '/id' }, '/key_pointers/no blanks'],
  [Object.fromEntries(Array.from({ length: 17 }, (_, index) => [`k${index}`, '/id'])), '/key_pointers'],
  [['/id'], '/key_pointers'],
])('422 for the pointers %j, and the place is named', async (key_pointers, pointer) => {
  const { status, body } = await api.ask('PUT', '/v1/event-types/order.made', { key_pointers })
  expect([status, body.code]).toEqual([422, 'invalid_request'])
  expect(body.errors.map((error: { pointer: string }) => error.pointer)).toContain(pointer)
})
