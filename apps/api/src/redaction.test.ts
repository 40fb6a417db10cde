import { type PortalCapability, parseId } from '@posthorn/contract'
import { createApiKey } from '@posthorn/engine'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { callbackUrl, startTestApi, type TestApi, world } from './testing/api.ts'

/** What may not be seen: in the data, in what did not fit, in the answer's body and headers, in the event's own headers, in a header that is a credential. */
const canary = 'CANARY_4242'
const secretCanary = 'CANARY_KEY'

let api: TestApi
let supportWithPayloads: string
let of: { event: string; delivery: string; subscription: string }

beforeAll(async () => {
  api = await startTestApi()
  const draft = { name: 'trusted support', role: 'support', tenantId: null, expiresAt: null } as const
  supportWithPayloads = (await createApiKey({ db: api.db, world }, { ...draft, permissions: ['payloads:read'] })).key
  await api.ask('PUT', '/v1/event-types/user.created', { validation: 'warn' })
  const schema = { type: 'object', properties: { name: { type: 'string' } }, additionalProperties: false }
  await api.ask('POST', '/v1/event-types/user.created/versions', { schema })
  const subscribed = await api.ask('POST', '/v1/tenants/acme/subscriptions', {
    url: callbackUrl,
    event_types: ['*'],
    headers: { 'x-api-key': secretCanary, 'x-team': 'billing' },
  })
  const filtering = { url: callbackUrl, event_types: ['*'], filter: { 'data.name': 'Bob' } }
  await api.ask('POST', '/v1/tenants/acme/subscriptions', filtering)
  const headers = { 'x-person': canary, 'x-token': secretCanary }
  const event = { tenant: 'acme', type: 'user.created', data: { name: canary, [canary]: canary }, headers }
  const published = await api.ask('POST', '/v1/events', event)
  const [{ id: delivery }] = published.body.deliveries
  of = { event: published.body.id, delivery, subscription: subscribed.body.id }
  await api.db.prisma.attempt.create({
    data: {
      id: parseId('delivery', delivery) ?? '',
      tenantId: 'acme',
      deliveryId: parseId('delivery', delivery) ?? '',
      eventId: parseId('event', of.event) ?? '',
      subscriptionId: parseId('subscription', of.subscription) ?? '',
      number: 1,
      trigger: 'automatic',
      startedAt: new Date(),
      url: callbackUrl,
      requestHeaders: {
        'content-type': 'application/json',
        'x-api-key': secretCanary,
        'webhook-signature': `v1,${secretCanary}`,
        'x-team': 'billing',
        'x-person': canary,
        'x-token': secretCanary,
      },
      httpStatus: 500,
      failureCode: 'http_5xx',
      responseHeaders: { 'content-type': 'text/plain', 'x-user': canary, 'set-cookie': secretCanary },
      responseBody: Buffer.from(`no such user ${canary}`),
      responseTruncated: false,
      waitMs: 1,
      totalMs: 1,
    },
  })
})
afterAll(() => api[Symbol.asyncDispose]())

/** Every read that shows something of an event, of its attempts or of a subscription. */
function reads(): [method: string, path: string, body?: unknown][] {
  return [
    ['GET', `/v1/events/${of.event}`],
    ['GET', '/v1/events'],
    ['GET', `/v1/events/${of.event}/matches`],
    ['GET', `/v1/deliveries/${of.delivery}`],
    ['GET', `/v1/deliveries/${of.delivery}?expand=event,subscription,attempts`],
    ['GET', '/v1/deliveries'],
    ['GET', `/v1/deliveries/${of.delivery}/attempts`],
    ['GET', `/v1/subscriptions/${of.subscription}`],
    ['GET', '/v1/subscriptions'],
    ['GET', `/v1/subscriptions/${of.subscription}/health`],
  ]
}

async function portal(...capabilities: PortalCapability[]): Promise<string> {
  return (await api.ask('POST', '/v1/tenants/acme/portal-sessions', { capabilities })).body.token
}

test('nothing that support reads holds what events hold or receivers answered, or a credential', async () => {
  for (const [method, path, body] of reads()) {
    const { status, text } = await api.ask(method, path, body, { as: 'support' })
    expect([path, status]).toEqual([path, 200])
    expect([path, text.includes(canary), text.includes(secretCanary)]).toEqual([path, false, false])
  }
})

test('the same reads hold it for an admin, so that the test above can fail', async () => {
  const shown = await Promise.all(reads().map(async ([method, path]) => (await api.ask(method, path)).text))
  expect(shown.filter((text) => text.includes(canary)).length).toBeGreaterThanOrEqual(4)
  expect(shown.filter((text) => text.includes(secretCanary)).length).toBeGreaterThanOrEqual(4)
})

test('with payloads:read support sees what events hold and receivers answered, and still no credential', async () => {
  const event = await api.ask('GET', `/v1/events/${of.event}`, undefined, { as: supportWithPayloads })
  expect(event.body.data).toMatchObject({ [canary]: canary })
  expect(event.body.validation_errors).toEqual([{ pointer: `/data/${canary}`, detail: 'is not known here' }])
  const attempts = await api.ask('GET', `/v1/deliveries/${of.delivery}/attempts`, undefined, {
    as: supportWithPayloads,
  })
  const [attempt] = attempts.body.data
  expect(attempts.body.request_body).toContain(canary)
  expect(attempt.response.body).toContain(canary)
  expect(attempt.response.headers).toEqual({
    'content-type': 'text/plain',
    'x-user': canary,
    'set-cookie': '[redacted]',
  })
  expect(event.body.headers).toEqual({ 'x-person': canary, 'x-token': '[redacted]' })
  expect(attempt.request.headers).toMatchObject({
    'x-api-key': '[redacted]',
    'webhook-signature': '[redacted]',
    'x-person': canary,
    'x-token': '[redacted]',
  })
})

test('support still sees what it needs: names, statuses, times and how much did not fit', async () => {
  const { body } = await api.ask('GET', `/v1/deliveries/${of.delivery}/attempts`, undefined, { as: 'support' })
  expect(body.request_body).toBeNull()
  expect(body.data[0]).toMatchObject({
    failure_code: 'http_5xx',
    request: { headers: { 'x-team': 'billing', 'x-api-key': '[redacted]' } },
    response: {
      status: 500,
      headers: { 'content-type': 'text/plain', 'x-user': '[redacted]', 'set-cookie': '[redacted]' },
      body: null,
    },
  })
  const event = await api.ask('GET', `/v1/events/${of.event}`, undefined, { as: 'support' })
  expect(event.body).toMatchObject({ data_redacted: true, validation_errors: [{ pointer: '', detail: '[redacted]' }] })
})

describe('a portal session', () => {
  test('sees payloads with that capability only', async () => {
    const without = await portal('events:read', 'deliveries:read')
    const having = await portal('events:read', 'deliveries:read', 'payloads:read')
    for (const path of [`/v1/events/${of.event}`, `/v1/deliveries/${of.delivery}/attempts`]) {
      expect((await api.ask('GET', path, undefined, { as: without })).text).not.toContain(canary)
      expect((await api.ask('GET', path, undefined, { as: having })).text).toContain(canary)
    }
  })

  test('cannot try a transform on a published event to read it', async () => {
    const preview = { transform: 'data', event_id: of.event }
    const path = `/v1/subscriptions/${of.subscription}/transform-previews`
    const refused = await api.ask('POST', path, preview, { as: await portal('subscriptions:write') })
    expect([refused.status, refused.body.code]).toEqual([403, 'forbidden'])
    expect(refused.text).not.toContain(canary)
    const own = { transform: 'data', type: 'user.created', data: { a: 1 } }
    const shown = await api.ask('POST', path, own, { as: await portal('subscriptions:write') })
    expect(shown.body.request.body).toContain('"a":1')
    expect(shown.text).not.toContain(secretCanary)
  })

  test('sees and keeps a header that it may not read, and cannot overwrite it with what stands in its place', async () => {
    const as = await portal('subscriptions:write')
    const path = `/v1/subscriptions/${of.subscription}`
    const { headers } = (await api.ask('GET', path, undefined, { as })).body
    expect(headers).toEqual({ 'x-api-key': '[redacted]', 'x-team': 'billing' })
    const back = await api.ask('PATCH', path, { headers }, { as })
    expect([back.status, back.body.code]).toEqual([422, 'invalid_header'])
    expect((await api.ask('PATCH', path, { headers: { 'x-team': 'sales' } }, { as })).status).toBe(200)
    expect((await api.ask('GET', path)).body.headers).toEqual({ 'x-api-key': secretCanary, 'x-team': 'sales' })
  })
})

test('a key is given payloads:read beside its role when it is made, and no other permission', async () => {
  const made = await api.ask('POST', '/v1/api-keys', { name: 'l2', role: 'support', permissions: ['payloads:read'] })
  expect([made.status, made.body.permissions]).toEqual([201, ['payloads:read']])
  const refused = await api.ask('POST', '/v1/api-keys', {
    name: 'l3',
    role: 'support',
    permissions: ['secrets:reveal'],
  })
  expect([refused.status, refused.body.code]).toEqual([422, 'invalid_request'])
})
