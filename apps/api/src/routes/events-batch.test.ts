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

test('an event that is refused for how its JSON is written fails alone, with its place', async () => {
  const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`
  const good = '{"tenant":"acme","type":"invoice.paid","data":1}'
  const withData = (data: string) => `{"tenant":"acme","type":"invoice.paid","data":${data}}`
  const items: [string, string | undefined][] = [
    [withData('{"__proto__":1}'), '/data/__proto__'],
    [good, undefined],
    [withData(nested(limits.jsonDepthMax)), '/data'],
    [withData(nested(limits.jsonDepthMax - 1)), undefined],
    [withData(nested(200_000)), '/data'],
    [`{"tenant":"acme","type":"invoice.paid","keys":{"order":"1","\\u006frder":"2"},"data":1}`, '/keys/order'],
    [`{"tenant":"acme","type":"invoice.paid","type":"x","data":1}`, '/type'],
    [nested(200_000), '/0'],
    ['{"__proto__":{"tenant":"acme"}}', '/__proto__'],
    [withData('{"a":1,"a":2}'), undefined],
    [good, undefined],
  ]
  const text = `{"events":[${items.map(([item]) => item).join(', ')}]}`
  const { status, body } = await api.ask('POST', '/v1/events/batch', undefined, { text })
  expect([status, body.code]).toEqual([207, undefined])
  for (const [index, [, pointer]] of items.entries()) {
    const { problem, event: published } = body.results[index]
    if (pointer === undefined) expect(published).toMatchObject({ duplicate: false })
    else expect(problem).toMatchObject({ code: 'invalid_request', status: 422, errors: [{ pointer }] })
  }
})

test('a batch whose own members are too deep, or would change objects, is refused as a whole', async () => {
  const deep = `${'['.repeat(limits.jsonDepthMax)}${']'.repeat(limits.jsonDepthMax)}`
  const item = '{"tenant":"acme","type":"invoice.paid","data":1}'
  for (const [text, pointer] of [
    [`{"events":[${item}],"more":${deep}}`, '/more'],
    [`{"events":[${item}],"__proto__":{}}`, '/__proto__'],
    [`{"events":{"a":${deep}}}`, '/events'],
  ] as const) {
    const { status, body } = await api.ask('POST', '/v1/events/batch', undefined, { text })
    expect([status, body.code]).toEqual([422, 'invalid_request'])
    expect(body.errors[0].pointer).toBe(pointer)
  }
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
