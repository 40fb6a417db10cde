import { limits } from '@posthorn/contract'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { callbackUrl, startTestApi, type TestApi } from '../testing/api.ts'

let api: TestApi
beforeAll(async () => {
  api = await startTestApi()
  await api.ask('POST', '/v1/tenants/acme/subscriptions', { url: callbackUrl, event_types: ['*'] })
})
afterAll(() => api[Symbol.asyncDispose]())

const event = { tenant: 'acme', type: 'invoice.paid', data: 1 }

test('207 with a result for each event, in order: a bad one does not fail the others', async () => {
  await api.ask('POST', '/v1/events', { ...event, id: 'known' })
  const events = [
    event,
    { ...event, tenant: 'nobody' },
    'no event',
    { ...event, unknown: 1 },
    { ...event, type: 'never.seen' },
    { ...event, id: 'known' },
    { ...event, data: 'x'.repeat(limits.eventDataBytesMax) },
    { ...event, timestamp: '2026-02-31T00:00:00Z' },
    { tenant: 'acme', type: 'invoice.paid' },
    { ...event, data: null },
  ]
  const { status, body, headers } = await api.ask('POST', '/v1/events/batch', { events })
  expect(status).toBe(207)
  const told = body.results.map(
    (one: { status: number; problem?: { code: string; status: number; request_id: string } }) => {
      if (one.problem !== undefined) {
        expect(one.problem.status).toBe(one.status)
        expect(one.problem.request_id).toBe(headers['x-request-id'])
      }
      return [one.status, one.problem?.code]
    },
  )
  expect(told).toEqual([
    [202, undefined],
    [404, 'tenant_not_found'],
    [422, 'invalid_request'],
    [422, 'invalid_request'],
    [422, 'event_type_not_found'],
    [200, undefined],
    [413, 'body_too_large'],
    [422, 'invalid_request'],
    [422, 'invalid_request'],
    [202, undefined],
  ])
  expect(body.results[0].event).toMatchObject({ duplicate: false, deliveries: [{}] })
  expect(body.results[5].event.duplicate).toBe(true)
  expect(body.results[3].problem.errors).toEqual([{ pointer: '/unknown', detail: 'is not known here' }])
})

test('every event keeps its own bytes', async () => {
  const data = ['1.0', '{"a":1,"a":2}', ' [ 12345678901234567890 ] '.trim(), '"\\u0000"']
  const text = `{ "ev\\u0065nts":[${data.map((one) => `{"tenant":"acme", "data": ${one} ,"type":"invoice.paid"}`).join(' , ')}]}`
  const { status, body } = await api.ask('POST', '/v1/events/batch', undefined, { text })
  expect(status).toBe(207)
  for (const [index, one] of data.entries()) {
    const read = await api.ask('GET', `/v1/events/${body.results[index].event.id}`)
    expect(read.text.endsWith(`"data":${one}}`)).toBe(true)
  }
})

test('an event that gives its data twice fails alone', async () => {
  const text =
    '{"events":[{"tenant":"acme","type":"invoice.paid","data":1,"data":2},{"tenant":"acme","type":"invoice.paid","data":3}]}'
  const { body } = await api.ask('POST', '/v1/events/batch', undefined, { text })
  expect(body.results.map((one: { status: number }) => one.status)).toEqual([422, 202])
})

test('1000 events are published in one request', async () => {
  const events = Array.from({ length: limits.batchEventsMax }, (_, index) => ({ ...event, data: index }))
  const { status, body } = await api.ask('POST', '/v1/events/batch', { events })
  expect(status).toBe(207)
  const stored: string[] = body.results.map((one: { event: { id: string } }) => one.event.id)
  expect(new Set(stored).size).toBe(1000)
})

test.each([
  [{}, ''],
  [{ events: [] }, '/events'],
  [{ events: {} }, '/events'],
  [{ events: [event], more: 1 }, '/more'],
  [{ events: Array.from({ length: 1001 }, () => event) }, '/events'],
])('422 when the batch as a whole is wrong: %#', async (wrong, pointer) => {
  const { status, body } = await api.ask('POST', '/v1/events/batch', wrong)
  expect([status, body.code, body.errors[0].pointer]).toEqual([422, 'invalid_request', pointer])
})

test('422 when the events are given twice', async () => {
  const { status, body } = await api.ask('POST', '/v1/events/batch', undefined, { text: '{"events":[1],"events":[2]}' })
  expect([status, body.errors[0].pointer]).toEqual([422, '/events'])
})

test('413 when the batch is larger than 5 MiB, and a large one below it is taken', async () => {
  const large = { ...event, data: 'x'.repeat(limits.eventDataBytesMax - 2) }
  const fits = await api.ask('POST', '/v1/events/batch', { events: Array.from({ length: 19 }, () => large) })
  expect(fits.status).toBe(207)
  const { status, body } = await api.ask('POST', '/v1/events/batch', {
    events: Array.from({ length: 20 }, () => large),
  })
  expect([status, body.code]).toEqual([413, 'body_too_large'])
})
