/** Headers that the publisher gives an event: what is taken, kept, shown and to whom. How they arrive: checks/src/flows. */
import { parseId } from '@posthorn/contract'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { callbackUrl, startTestApi, type TestApi } from '../testing/api.ts'

const event = { tenant: 'acme', type: 'invoice.paid', data: { total: 1 } }
const headers = { 'X-Region': 'eu', 'x-api-key': 'k-4242' }

let api: TestApi
let subscription: string

beforeAll(async () => {
  api = await startTestApi()
  const draft = {
    url: callbackUrl,
    event_types: ['*'],
    headers: { 'X-Team': 'billing' },
    auth: { type: 'api_key', header: 'X-Token', value: 'the credential of the receiver' },
  }
  subscription = (await api.ask('POST', '/v1/tenants/acme/subscriptions', draft)).body.id
})
afterAll(() => api[Symbol.asyncDispose]())

test('headers are kept with the event under their names in lower case, and an event without any has none', async () => {
  const { status, body } = await api.ask('POST', '/v1/events', { ...event, headers })
  expect(status).toBe(202)
  const read = await api.ask('GET', `/v1/events/${body.id}`)
  expect(read.body.headers).toEqual({ 'x-region': 'eu', 'x-api-key': 'k-4242' })
  const listed = await api.ask('GET', '/v1/events')
  expect(listed.text).not.toContain('k-4242')
  for (const none of [{}, { headers: {} }]) {
    const { id } = (await api.ask('POST', '/v1/events', { ...event, ...none })).body
    expect((await api.ask('GET', `/v1/events/${id}`)).body.headers).toEqual({})
    const row = await api.db.prisma.event.findUniqueOrThrow({ where: { id: parseId('event', id) ?? '' } })
    expect(row.headers).toBeNull()
  }
})

test.each([
  [{ host: 'a' }, '/headers/host'],
  [{ Authorization: 'Bearer x' }, '/headers/Authorization'],
  [{ 'webhook-signature': 'v1,x' }, '/headers/webhook-signature'],
  [{ 'posthorn-attempt': '1' }, '/headers/posthorn-attempt'],
  [{ 'ce-type': 'x' }, '/headers/ce-type'],
  [{ 'content-type': 'text/plain' }, '/headers/content-type'],
  [{ 'x-a': 'a\r\nset-cookie: b' }, '/headers/x-a'],
  [{ 'x-a': 'a\nb' }, '/headers/x-a'],
  [{ 'x-a\r\nx-b': 'a' }, '/headers/x-a\r\nx-b'],
  [{ 'x-a': 'ü' }, '/headers/x-a'],
  [{ 'x-a': 'x'.repeat(4097) }, '/headers/x-a'],
  [{ 'x-a': '[redacted]' }, '/headers/x-a'],
  [{ 'X-A': 'a', 'x-a': 'b' }, '/headers/x-a'],
  [Object.fromEntries(Array.from({ length: 21 }, (_, i) => [`x-${i}`, 'a'])), '/headers'],
])('422 when a header cannot be sent, as for a subscription, and nothing is stored: %j', async (wrong, pointer) => {
  const before = await api.db.prisma.event.count()
  for (const path of ['/v1/events', '/v1/events?dry_run=1']) {
    const { status, body } = await api.ask('POST', path, { ...event, headers: wrong })
    expect([path, status, body.code, body.errors[0].pointer]).toEqual([path, 422, 'invalid_header', pointer])
  }
  const draft = { url: callbackUrl, event_types: ['*'], headers: wrong }
  const same = await api.ask('POST', '/v1/tenants/acme/subscriptions', draft)
  expect([same.body.code, same.body.errors[0].pointer]).toEqual(['invalid_header', pointer])
  expect(await api.db.prisma.event.count()).toBe(before)
})

test.each([[[]], ['x-a: b'], [{ 'x-a': 1 }], [{ 'x-a': null }], [null]])(
  '422 when headers are no object of texts: %j',
  async (wrong) => {
    const { status, body } = await api.ask('POST', '/v1/events', { ...event, headers: wrong })
    expect([status, body.code, body.errors[0].pointer]).toEqual([
      422,
      'invalid_request',
      expect.stringMatching(/^\/headers/),
    ])
  },
)

test('in a batch each event has its own headers, and one with a header that cannot be sent fails alone', async () => {
  const events = [
    { ...event, headers: { 'x-n': '1' } },
    { ...event, headers: { host: 'x', 'x-n': '2' } },
    event,
    { ...event, headers: { 'x-n': '4' } },
  ]
  const { status, body } = await api.ask('POST', '/v1/events/batch', { events })
  expect(status).toBe(207)
  expect(body.results.map((one: { status: number }) => one.status)).toEqual([202, 422, 202, 202])
  expect(body.results[1].problem).toMatchObject({ code: 'invalid_header', errors: [{ pointer: '/headers/host' }] })
  const stored: unknown[] = []
  for (const place of [0, 2, 3]) {
    stored.push((await api.ask('GET', `/v1/events/${body.results[place].event.id}`)).body.headers)
  }
  expect(stored).toEqual([{ 'x-n': '1' }, {}, { 'x-n': '4' }])
})

test('published again under its id an event keeps its first headers, and a key repeats the same headers only', async () => {
  const first = await api.ask('POST', '/v1/events', { ...event, id: 'once', headers: { 'x-n': '1' } })
  const again = await api.ask('POST', '/v1/events', { ...event, id: 'once', headers: { 'x-n': '2' } })
  expect([again.status, again.body]).toEqual([200, { ...first.body, duplicate: true }])
  expect((await api.ask('GET', `/v1/events/${first.body.id}`)).body.headers).toEqual({ 'x-n': '1' })
  const keyed = { headers: { 'idempotency-key': 'headers-1' } }
  await api.ask('POST', '/v1/events', { ...event, headers: { 'x-n': '1' } }, keyed)
  const other = await api.ask('POST', '/v1/events', { ...event, headers: { 'x-n': '2' } }, keyed)
  expect([other.status, other.body.code]).toEqual([422, 'idempotency_key_reused'])
})

test('a dry run shows them in the requests: those of the subscription go before, and its credentials before all', async () => {
  const given = { 'x-region': 'eu', 'x-team': 'of the publisher', 'x-token': 'of the publisher' }
  const { status, body, text } = await api.ask('POST', '/v1/events?dry_run=1', { ...event, headers: given })
  expect(status).toBe(200)
  expect(body.data[0].request.headers).toMatchObject({
    'x-region': 'eu',
    'x-team': 'billing',
    'x-token': '[redacted]',
    'posthorn-event-type': 'invoice.paid',
  })
  expect(text).not.toContain('of the publisher')
})

test('who may not see payloads sees the names alone, and who may not see secrets none that sounds like a credential', async () => {
  const { body } = await api.ask('POST', '/v1/events', { ...event, headers })
  const [{ id: delivery }] = body.deliveries
  await attempted(delivery, body.id)
  const portal = async (...capabilities: string[]) =>
    (await api.ask('POST', '/v1/tenants/acme/portal-sessions', { capabilities })).body.token
  const hidden = '[redacted]'
  for (const [as, region, key] of [
    ['admin', 'eu', 'k-4242'],
    ['tenant', 'eu', 'k-4242'],
    ['viewer', 'eu', hidden],
    ['support', hidden, hidden],
    [await portal('events:read', 'deliveries:read'), hidden, hidden],
    [await portal('events:read', 'deliveries:read', 'payloads:read'), 'eu', hidden],
  ] as const) {
    const shown = { 'x-region': region, 'x-api-key': key }
    const read = await api.ask('GET', `/v1/events/${body.id}`, undefined, { as })
    expect(read.body.headers).toEqual(shown)
    const attempts = await api.ask('GET', `/v1/deliveries/${delivery}/attempts`, undefined, { as })
    expect(attempts.body.data[0].request.headers).toMatchObject({ ...shown, 'x-team': 'billing', 'x-empty': '' })
    const expanded = await api.ask('GET', `/v1/deliveries/${delivery}?expand=event,attempts`, undefined, { as })
    expect([expanded.body.event.headers, expanded.body.attempts[0].request.headers]).toMatchObject([shown, shown])
  }
})

test('of an event that is no longer kept nobody knows which headers were its own, so support sees no custom one', async () => {
  const { body } = await api.ask('POST', '/v1/events', { ...event, headers })
  const [{ id: delivery }] = body.deliveries
  await attempted(delivery, body.id)
  await api.db.prisma.event.delete({ where: { id: parseId('event', body.id) ?? '' } })
  const { body: attempts } = await api.ask('GET', `/v1/deliveries/${delivery}/attempts`, undefined, { as: 'support' })
  expect(attempts.data[0].request.headers).toEqual({
    'x-region': '[redacted]',
    'x-api-key': '[redacted]',
    'x-team': '[redacted]',
    'x-empty': '[redacted]',
    'webhook-signature': '[redacted]',
    'content-type': 'application/json',
  })
})

test('404 for the key of another tenant, and headers are sent to nobody in its name', async () => {
  const foreign = await api.ask('POST', '/v1/events', { ...event, tenant: 'globex', headers })
  const read = await api.ask('GET', `/v1/events/${foreign.body.id}`, undefined, { as: 'tenant' })
  expect([read.status, read.body.code]).toEqual([404, 'event_not_found'])
  const publish = await api.ask('POST', '/v1/events', { ...event, tenant: 'globex', headers }, { as: 'tenant' })
  expect([publish.status, publish.body.code]).toEqual([404, 'tenant_not_found'])
})

test('the command of a delivery has the headers that were sent', async () => {
  const { body } = await api.ask('POST', '/v1/events', { ...event, headers })
  const [{ id: delivery }] = body.deliveries
  await attempted(delivery, body.id)
  const ask = (as: string) => api.ask('GET', `/v1/deliveries/${delivery}/curl`, undefined, { as })
  expect((await ask('admin')).body.command).toContain("--header 'x-region: eu'")
  const { command, left_out_headers: leftOut } = (await ask('viewer')).body
  expect([command.includes('x-region: eu'), command.includes('k-4242'), leftOut.toSorted().toReversed()]).toEqual([
    true,
    false,
    ['x-api-key', 'webhook-signature'],
  ])
})

test('a transform is tried on a published event with the headers that go with it', async () => {
  const { body } = await api.ask('POST', '/v1/events', { ...event, headers })
  const preview = { event_id: body.id }
  const { status, body: shown } = await api.ask('POST', `/v1/subscriptions/${subscription}/transform-previews`, preview)
  expect([status, shown.request.headers]).toMatchObject([200, { 'x-region': 'eu', 'x-team': 'billing' }])
})

/** As if it had been sent. */
async function attempted(delivery: string, of: string): Promise<void> {
  const deliveryId = parseId('delivery', delivery) ?? ''
  const requestHeaders = {
    'x-region': 'eu',
    'x-api-key': 'k-4242',
    'x-team': 'billing',
    'x-empty': '',
    'webhook-signature': 'v1,x',
    'content-type': 'application/json',
  }
  await api.db.prisma.attempt.create({
    data: {
      id: deliveryId, deliveryId, tenantId: 'acme', eventId: parseId('event', of) ?? '',
      subscriptionId: parseId('subscription', subscription) ?? '',
      number: 1, trigger: 'automatic', startedAt: new Date(), url: callbackUrl, requestHeaders,
      httpStatus: 204, responseHeaders: {}, responseBody: new Uint8Array(), responseTruncated: false, waitMs: 0, totalMs: 1,
    },
  }) // biome-ignore format: one column after the other
}
