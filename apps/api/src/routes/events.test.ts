import { parseId } from '@posthorn/contract'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { callbackUrl, startTestApi, type TestApi } from '../testing/api.ts'

let api: TestApi
let subscription: string
beforeAll(async () => {
  api = await startTestApi()
  const { body } = await api.ask('POST', '/v1/tenants/acme/subscriptions', {
    url: callbackUrl,
    event_types: ['invoice.*'],
  })
  subscription = body.id
})
afterAll(() => api[Symbol.asyncDispose]())

const event = { tenant: 'acme', type: 'invoice.paid', data: { total: 1 } }

test('202 when an event is stored with its deliveries, and the dispatchers are told', async () => {
  const { status, body } = await api.ask('POST', '/v1/events', event, { as: 'publisher' })
  expect(status).toBe(202)
  expect(body).toEqual({
    id: expect.stringMatching(/^evt_/),
    duplicate: false,
    deliveries: [{ id: expect.stringMatching(/^dlv_/), subscription_id: subscription }],
  })
  expect(api.worked.length).toBeGreaterThan(0)
  const delivery = await api.ask('GET', `/v1/deliveries/${body.deliveries[0].id}`)
  expect(delivery.body).toMatchObject({
    state: 'pending',
    event_id: body.id,
    event_type: 'invoice.paid',
    tenant: 'acme',
  })
})

test('200 when the event had been published before under the same id, with the first one in the answer', async () => {
  const first = await api.ask('POST', '/v1/events', { ...event, id: 'in_1' })
  const again = await api.ask('POST', '/v1/events', { ...event, id: 'in_1', data: 'other' })
  expect([first.status, again.status]).toEqual([202, 200])
  expect(again.body).toEqual({ ...first.body, duplicate: true })
  expect((await api.ask('GET', `/v1/events/${first.body.id}`)).body).toMatchObject({
    data: { total: 1 },
    publish_id: 'in_1',
  })
  const other = await api.ask('POST', '/v1/events', { ...event, tenant: 'globex', id: 'in_1' })
  expect(other.status).toBe(202)
})

test('everything given with an event is kept', async () => {
  const { body } = await api.ask(
    'POST',
    '/v1/events',
    {
      ...event,
      timestamp: '2026-11-23T12:00:00.1239+02:00',
      keys: { order: 'ord_42', 'cart.id': 'ü' },
      headers: { 'X-Region': 'eu' },
    },
    { headers: { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' } },
  )
  const read = await api.ask('GET', `/v1/events/${body.id}`)
  expect(read.status).toBe(200)
  expect(read.body).toEqual({
    id: body.id,
    tenant: 'acme',
    type: 'invoice.paid',
    timestamp: '2026-11-23T10:00:00.123Z',
    keys: { order: 'ord_42', 'cart.id': 'ü' },
    publish_id: null,
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    schema_version: null,
    validation_errors: null,
    erased_at: null,
    created_at: expect.any(String),
    headers: { 'x-region': 'eu' },
    data: { total: 1 },
  })
})

test.each([
  'nonsense',
  '00-00000000000000000000000000000000-b7ad6b7169203331-01',
  '00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01',
  'ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  '00-0AF7651916CD43DD8448EB211C80319C-B7AD6B7169203331-01',
])('the malformed traceparent %s is ignored', async (traceparent) => {
  const { status, body } = await api.ask('POST', '/v1/events', event, { headers: { traceparent } })
  expect(status).toBe(202)
  expect((await api.ask('GET', `/v1/events/${body.id}`)).body.traceparent).toBeNull()
})

describe('the bytes of data', () => {
  test.each([
    '12345678901234567890',
    '1.0',
    '-0',
    '1E400',
    '{"b":1,"a":2}',
    '{"a":1,"a":2}',
    '{ "a" :\t[ 1 ,\n2 ] }',
    '"\\u0000"',
    '"\\ud800"',
    '"\\/\\u0061"',
    '"Zoë 漢 😀 \u2028"',
    '{"data":1,"":[]}',
    'null',
    '""',
  ])('are given back as they came: %s', async (data) => {
    const text = ` {"type" : "invoice.paid", "d\\u0061ta" :  ${data} ,"tenant":"acme"}`
    const { status, body } = await api.ask('POST', '/v1/events', undefined, { text })
    expect(status).toBe(202)
    const read = await api.ask('GET', `/v1/events/${body.id}`)
    expect(read.text.endsWith(`,"data":${data}}`)).toBe(true)
    const [delivery] = body.deliveries
    const expanded = await api.ask('GET', `/v1/deliveries/${delivery.id}?expand=event`)
    expect(expanded.text).toContain(`,"data":${data}}`)
    expect(expanded.body.event).toEqual(read.body)
    const attempts = await api.ask('GET', `/v1/deliveries/${delivery.id}/attempts`)
    expect(attempts.body.request_body.endsWith(`,"data":${data}}`)).toBe(true)
    const row = await api.db.prisma.event.findFirstOrThrow({ orderBy: { id: 'desc' } })
    expect(row.data).toBe(data)
  })
})

test('only the subscriptions that are named get the event', async () => {
  const other = await api.ask('POST', '/v1/tenants/acme/subscriptions', { url: callbackUrl, event_types: ['*'] })
  const { body } = await api.ask('POST', '/v1/events', { ...event, subscriptions: [other.body.id] })
  expect(body.deliveries).toMatchObject([{ subscription_id: other.body.id }])
  const none = await api.ask('POST', '/v1/events', { ...event, subscriptions: [] })
  expect(none.body.deliveries).toEqual([])
  await api.ask('DELETE', `/v1/subscriptions/${other.body.id}`)
})

test('404 when the tenant is not known', async () => {
  const { status, body } = await api.ask('POST', '/v1/events', { ...event, tenant: 'nobody' })
  expect([status, body.code]).toEqual([404, 'tenant_not_found'])
})

test('422 when the event type is not known, and where the operator allows it, it is created', async () => {
  const { status, body } = await api.ask('POST', '/v1/events', { ...event, type: 'never.seen' })
  expect([status, body.code]).toEqual([422, 'event_type_not_found'])
  await using open = await startTestApi({ createEventTypes: true })
  expect((await open.ask('POST', '/v1/events', { ...event, type: 'never.seen' })).status).toBe(202)
  expect((await open.ask('GET', '/v1/event-types/never.seen')).status).toBe(200)
})

test('422 with pointers when the data breaks the schema, and in mode warn it is stored and marked', async () => {
  await api.ask('PUT', '/v1/event-types/order.placed', { validation: 'reject' })
  const schema = { type: 'object', required: ['id'], properties: { total: { type: 'integer' } } }
  await api.ask('POST', '/v1/event-types/order.placed/versions', { schema })
  const wrong = { ...event, type: 'order.placed', data: { total: 'much' } }
  const refused = await api.ask('POST', '/v1/events', wrong)
  expect([refused.status, refused.body.code]).toEqual([422, 'payload_invalid'])
  expect(refused.body.errors).toEqual([
    { pointer: '/data', detail: "must have required property 'id'" },
    { pointer: '/data/total', detail: 'must be integer' },
  ])
  expect((await api.ask('POST', '/v1/events', { ...wrong, data: { id: 1, total: 2 } })).status).toBe(202)

  await api.ask('PUT', '/v1/event-types/order.placed', { validation: 'warn' })
  const marked = await api.ask('POST', '/v1/events', wrong)
  expect(marked.status).toBe(202)
  const read = await api.ask('GET', `/v1/events/${marked.body.id}`)
  expect(read.body).toMatchObject({ schema_version: 1, data: { total: 'much' } })
  expect(read.body.validation_errors).toHaveLength(2)

  await api.ask('PUT', '/v1/event-types/order.placed', { validation: 'off' })
  expect((await api.ask('POST', '/v1/events', wrong)).status).toBe(202)
})

test('200 with the events asked for, without their data', async () => {
  await using own = await startTestApi()
  await own.ask('PUT', '/v1/event-types/order.placed', {})
  const made: string[] = []
  for (const [tenant, type] of [
    ['acme', 'invoice.paid'],
    ['acme', 'order.placed'],
    ['globex', 'invoice.paid'],
  ]) {
    const { body } = await own.ask('POST', '/v1/events', { tenant, type, data: 'CANARY' })
    made.unshift(body.id)
  }
  const [third, second, first] = made
  const all = await own.ask('GET', '/v1/events')
  expect(all.status).toBe(200)
  expect(ids(all.body)).toEqual(made)
  expect(all.text).not.toContain('CANARY')
  const found = async (query: string) => ids((await own.ask('GET', `/v1/events?${query}`)).body)
  expect(await found('tenant=acme')).toEqual([second, first])
  expect(await found('tenant=acme&tenant=globex')).toEqual(made)
  expect(await found('event_type=order.*')).toEqual([second])
  expect(await found('event_type=order.*&event_type=invoice.paid')).toEqual(made)
  expect(await found('event_type=*.paid&tenant=acme')).toEqual([first])
  expect(await found('event_type=invoice')).toEqual([])
  expect(await found('since=1h')).toEqual(made)
  expect(await found('until=1h')).toEqual([])
  expect(await found('since=2026-01-01T00:00:00Z&until=2999-01-01T00:00:00Z')).toEqual(made)
  expect(await found('since=2999-01-01T00:00:00Z')).toEqual([])
  expect(await found('order=asc&limit=2')).toEqual([first, second])
  const page = await own.ask('GET', '/v1/events?limit=1')
  const next = await own.ask('GET', `/v1/events?limit=1&cursor=${page.body.next_cursor}`)
  expect([ids(page.body), ids(next.body)]).toEqual([[third], [second]])
  const back = await own.ask('GET', `/v1/events?limit=1&cursor=${next.body.prev_cursor}`)
  expect(back.body).toMatchObject({ prev_cursor: null, data: page.body.data })
})

test('an underscore in a filter stands for itself', async () => {
  await using own = await startTestApi()
  for (const name of ['a_b', 'axb']) {
    await own.ask('PUT', `/v1/event-types/${name}`, {})
    await own.ask('POST', '/v1/events', { tenant: 'acme', type: name, data: 1 })
  }
  const { body } = await own.ask('GET', '/v1/events?event_type=a_b')
  expect(body.data.map((one: { type: string }) => one.type)).toEqual(['a_b'])
})

test.each(['evt_00000000000000000000000000', 'evt_x', 'dlv_00000000000000000000000000'])(
  '404 when there is no event %s',
  async (id) => {
    const { status, body } = await api.ask('GET', `/v1/events/${id}`)
    expect([status, body.code]).toEqual([404, 'event_not_found'])
  },
)

function ids(page: { data: { id: string }[] }): string[] {
  return page.data.map(({ id }) => id)
}

test('a repetition names the deliveries in the order of the first answer, whatever has become of them since', async () => {
  for (const _ of Array.from({ length: 5 }))
    await api.ask('POST', '/v1/tenants/acme/subscriptions', { url: callbackUrl, event_types: ['order.*'] })
  await api.ask('PUT', '/v1/event-types/order.paid', {})
  const once = { ...event, type: 'order.paid', id: 'in-order' }
  const first = await api.ask('POST', '/v1/events', once)
  expect(first.body.deliveries).toHaveLength(5)
  // As PostgreSQL moves a row when it is changed.
  const moved = { id: parseId('delivery', first.body.deliveries[0].id) ?? '' }
  const { eventId } = await api.db.prisma.delivery.findFirstOrThrow({ where: moved })
  await api.db.prisma.delivery.updateMany({ where: moved, data: { eventId: moved.id } })
  await api.db.prisma.delivery.updateMany({ where: moved, data: { eventId } })
  const again = await api.ask('POST', '/v1/events', once)
  expect(again.body).toEqual({ ...first.body, duplicate: true })
})
