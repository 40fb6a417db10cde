import { type ApiKeyRole, apiKeyRoles, formatId } from '@posthorn/contract'
import { createApiKey } from '@posthorn/engine'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startTestApi, type TestApi, world } from './testing/api.ts'

/** Who may do what, written down a second time: operation → the roles that are let in. */
const allowed: Record<string, readonly ApiKeyRole[]> = {
  putTenant: ['admin'],
  getTenant: ['admin', 'support', 'viewer', 'tenant'],
  deleteTenant: ['admin'],
  listTenants: ['admin', 'support', 'viewer', 'tenant'],
  putEventType: ['admin'],
  getEventType: ['admin', 'publisher', 'support', 'viewer', 'tenant'],
  archiveEventType: ['admin'],
  listEventTypes: ['admin', 'publisher', 'support', 'viewer', 'tenant'],
  createEventTypeVersion: ['admin'],
  getEventTypeVersion: ['admin', 'publisher', 'support', 'viewer', 'tenant'],
  importEventTypes: ['admin'],
  getObservations: ['admin', 'support', 'viewer'],
  listEventTypeVersions: ['admin', 'publisher', 'support', 'viewer', 'tenant'],
  createSubscription: ['admin', 'tenant'],
  listSubscriptions: ['admin', 'support', 'viewer', 'tenant'],
  getSubscription: ['admin', 'support', 'viewer', 'tenant'],
  getSubscriptionHealth: ['admin', 'support', 'viewer', 'tenant'],
  patchSubscription: ['admin', 'tenant'],
  deleteSubscription: ['admin', 'tenant'],
  revealSecrets: ['admin', 'tenant'],
  rotateSecret: ['admin', 'tenant'],
  rotateKeyPair: ['admin', 'tenant'],
  pauseSubscription: ['admin', 'support', 'tenant'],
  resumeSubscription: ['admin', 'support', 'tenant'],
  testSubscription: ['admin', 'support', 'tenant'],
  checkReceiver: ['admin', 'support', 'tenant'],
  checkSignature: ['admin', 'support', 'tenant'],
  publishEvent: ['admin', 'publisher', 'tenant'],
  publishEvents: ['admin', 'publisher', 'tenant'],
  listEvents: ['admin', 'publisher', 'support', 'viewer', 'tenant'],
  getEvent: ['admin', 'publisher', 'support', 'viewer', 'tenant'],
  listEventMatches: ['admin', 'support', 'viewer', 'tenant'],
  checkFilter: ['admin', 'support', 'viewer', 'tenant'],
  previewTransform: ['admin', 'tenant'],
  listDeliveries: ['admin', 'support', 'viewer', 'tenant'],
  getDelivery: ['admin', 'support', 'viewer', 'tenant'],
  getDeliveryCurl: ['admin', 'support', 'viewer', 'tenant'],
  listAttempts: ['admin', 'support', 'viewer', 'tenant'],
  resendDelivery: ['admin', 'support', 'tenant'],
  cancelDelivery: ['admin', 'tenant'],
  listOutboxEvents: ['admin', 'support', 'viewer'],
  getOutboxEvent: ['admin', 'support', 'viewer'],
  retryOutboxEvent: ['admin'],
  deleteOutboxEvent: ['admin'],
  createReplay: ['admin', 'support', 'tenant'],
  listReplays: ['admin', 'support', 'viewer', 'tenant'],
  getReplay: ['admin', 'support', 'viewer', 'tenant'],
  patchReplay: ['admin', 'support', 'tenant'],
  listReplayItems: ['admin', 'support', 'viewer', 'tenant'],
  runReplay: ['admin', 'support', 'tenant'],
  pauseReplay: ['admin', 'support', 'tenant'],
  resumeReplay: ['admin', 'support', 'tenant'],
  cancelReplay: ['admin', 'support', 'tenant'],
  getDeliveryMetrics: ['admin', 'support', 'viewer', 'tenant'],
  getCauses: ['admin', 'support', 'viewer', 'tenant'],
  streamAttempts: ['admin', 'support', 'viewer', 'tenant'],
  search: ['admin', 'publisher', 'support', 'viewer', 'tenant'],
  listApiKeys: ['admin'],
  createApiKey: ['admin'],
  revokeApiKey: ['admin'],
  createPortalSession: ['admin', 'support'],
  listPortalSessions: ['admin', 'support'],
  getPortalSession: ['admin', 'support'],
  revokePortalSession: ['admin', 'support'],
  createErasure: ['admin'],
  getErasure: ['admin'],
  listErasures: ['admin'],
  listAuditEntries: ['admin', 'support', 'viewer'],
  getCredential: ['admin', 'publisher', 'support', 'viewer', 'tenant'],
}
const isPublic = ['getHealth', 'getReadiness', 'getMeta', 'listPublicKeys']

type Operation = { operationId: string; method: string; path: string }

let api: TestApi
let operations: Operation[]
beforeAll(async () => {
  api = await startTestApi()
  const { body } = await api.ask('GET', '/openapi.json', undefined, { as: null })
  const paths: Record<string, Record<string, { operationId: string }>> = body.paths
  operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { operationId }]) => ({ operationId, method: method.toUpperCase(), path })),
  )
})
afterAll(() => api[Symbol.asyncDispose]())

/** Asks for an operation with ids of nothing and an empty body. */
async function tryOperation({ operationId, method, path }: Operation, as: string | null) {
  const nothing = path.includes('/tenants/') ? 'nobody' : 'sub_00000000000000000000000000'
  // A stream would never end by itself.
  const url = path.replace(/\{\w+\}/, nothing) + (operationId === 'streamAttempts' ? '?max_seconds=0' : '')
  return api.ask(method, url, method === 'GET' || method === 'DELETE' ? undefined : {}, { as })
}

test('every operation stands in the table, and the table names no other', () => {
  const named = operations.map(({ operationId }) => operationId).sort()
  expect(named).toEqual([...Object.keys(allowed), ...isPublic].sort())
})

describe.each(apiKeyRoles.map((role) => [role]))('a key of the role %s', (role) => {
  test('403 where the table does not let it in, and never where it does', async () => {
    for (const operation of operations.filter(({ operationId }) => !isPublic.includes(operationId))) {
      const { status, body } = await tryOperation(operation, role)
      const isLetIn = allowed[operation.operationId]?.includes(role) ?? false
      const expected = { operation: operation.operationId, role, refused: !isLetIn }
      expect({ operation: operation.operationId, role, refused: status === 403 }).toEqual(expected)
      expect(status).not.toBe(401)
      if (!isLetIn) expect(body).toMatchObject({ code: 'forbidden', status: 403 })
    }
  })
})

test.each([
  ['no key', null],
  ['an unknown key', 'phk_000000000000000000000000000000000'],
  ['something that is no key', 'secret'],
])('401 with %s, wherever a key is needed', async (_what, as) => {
  for (const operation of operations) {
    const { status, body, headers } = await tryOperation(operation, as)
    if (isPublic.includes(operation.operationId)) {
      expect(status).toBe(operation.operationId === 'listPublicKeys' ? 404 : 200)
    } else {
      expect({ operation: operation.operationId, status }).toEqual({ operation: operation.operationId, status: 401 })
      expect(body).toMatchObject({ code: 'unauthenticated', request_id: headers['x-request-id'] })
      expect(headers['www-authenticate']).toBe('Bearer realm="posthorn"')
    }
  }
})

test('401 when the key was revoked, from the next request on', async () => {
  const { body } = await api.ask('POST', '/v1/api-keys', { name: 'short-lived', role: 'viewer' })
  expect((await api.ask('GET', '/v1/events', undefined, { as: body.key })).status).toBe(200)
  expect((await api.ask('DELETE', `/v1/api-keys/${body.id}`)).status).toBe(204)
  expect((await api.ask('GET', '/v1/events', undefined, { as: body.key })).status).toBe(401)
})

test('401 when the key has expired', async () => {
  const draft = { name: 'old', role: 'viewer' as const, tenantId: null, expiresAt: new Date(Date.now() - 1_000) }
  const { key } = await createApiKey({ db: api.db, world }, draft)
  expect((await api.ask('GET', '/v1/events', undefined, { as: key })).status).toBe(401)
})

test.each([
  ['Basic dXNlcjpwYXNz', 401],
  ['Bearer', 401],
  ['Bearer a b', 401],
  ['bearer KEY', 200],
  ['BEARER  KEY', 200],
])('the header "authorization: %s" is answered with %d', async (header, status) => {
  const authorization = header.replace('KEY', api.keys.viewer)
  expect((await api.ask('GET', '/v1/events', undefined, { as: null, headers: { authorization } })).status).toBe(status)
})

test('401 with a hint when the key is in the URL, even beside a good one', async () => {
  for (const name of ['key', 'api_key', 'access_token']) {
    const { status, body } = await api.ask('GET', `/v1/events?${name}=${api.keys.admin}`)
    expect([status, body.code]).toEqual([401, 'unauthenticated'])
    expect(body.detail).toContain('in the URL')
    expect(JSON.stringify(body)).not.toContain(api.keys.admin)
  }
})

describe('a key bound to a tenant', () => {
  let foreign: { subscription: string; event: string; delivery: string }
  beforeAll(async () => {
    const subscribed = await api.ask('POST', '/v1/tenants/globex/subscriptions', {
      url: 'https://93.184.215.14/',
      event_types: ['*'],
    })
    const published = await api.ask('POST', '/v1/events', {
      tenant: 'globex',
      type: 'invoice.paid',
      data: { secret: 1 },
    })
    foreign = {
      subscription: subscribed.body.id,
      event: published.body.id,
      delivery: published.body.deliveries[0].id,
    }
  })

  test('404 for every object of another tenant, with the words used for what does not exist', async () => {
    const paths = (subscription: string, event: string, delivery: string): [string, string, unknown?][] => [
      ['GET', `/v1/subscriptions/${subscription}`],
      ['PATCH', `/v1/subscriptions/${subscription}`, { description: 'x' }],
      ['PATCH', `/v1/subscriptions/${subscription}`, { url: 'http://nonsense' }],
      ['DELETE', `/v1/subscriptions/${subscription}`],
      ['GET', `/v1/subscriptions/${subscription}/secrets`],
      ['POST', `/v1/subscriptions/${subscription}/secrets`],
      ['POST', `/v1/subscriptions/${subscription}/public-keys`],
      ['POST', `/v1/subscriptions/${subscription}/pause`],
      ['POST', `/v1/subscriptions/${subscription}/resume`],
      ['GET', `/v1/events/${event}`],
      ['GET', `/v1/events/${event}/matches`],
      ['POST', `/v1/subscriptions/${subscription}/filter-checks`, { type: 'invoice.paid', data: 1 }],
      ['GET', `/v1/deliveries/${delivery}`],
      ['GET', `/v1/deliveries/${delivery}?expand=event,subscription,attempts`],
      ['GET', `/v1/deliveries/${delivery}/attempts`],
      ['POST', `/v1/deliveries/${delivery}/resend`],
      ['POST', `/v1/deliveries/${delivery}/cancel`],
    ]
    const zero = '019ab0fa-5c3e-7b1d-9a44-0c6f2e8d5b17'
    const missing = paths(formatId('subscription', zero), formatId('event', zero), formatId('delivery', zero))
    const theirs = paths(foreign.subscription, foreign.event, foreign.delivery)
    for (const [index, [method, path, body]] of theirs.entries()) {
      const answer = await api.ask(method, path, body, { as: 'tenant' })
      const [, missingPath = ''] = missing[index] ?? []
      const other = await api.ask(method, missingPath, body, { as: 'tenant' })
      expect([path, answer.status]).toEqual([path, 404])
      expect(nameless(answer.text)).toEqual(nameless(other.text))
    }
    const { status } = await api.ask('GET', `/v1/subscriptions/${foreign.subscription}`)
    expect(status).toBe(200)
  })

  test('404 when it names another tenant in a path or a body, whether that one exists or not', async () => {
    const subscription = { url: 'https://93.184.215.14/', event_types: ['*'] }
    for (const name of ['globex', 'nobody']) {
      const asked = [
        await api.ask('GET', `/v1/tenants/${name}`, undefined, { as: 'tenant' }),
        await api.ask('POST', `/v1/tenants/${name}/subscriptions`, subscription, { as: 'tenant' }),
        await api.ask('POST', '/v1/events', { tenant: name, type: 'invoice.paid', data: 1 }, { as: 'tenant' }),
      ]
      for (const { status, body } of asked) {
        expect([status, body.code, body.detail]).toEqual([404, 'tenant_not_found', `There is no tenant "${name}".`])
      }
      const batch = { events: [{ tenant: name, type: 'invoice.paid', data: 1 }] }
      const { body } = await api.ask('POST', '/v1/events/batch', batch, { as: 'tenant' })
      expect(body.results).toMatchObject([{ status: 404, problem: { code: 'tenant_not_found' } }])
    }
    expect(await api.db.prisma.subscription.count({ where: { tenantId: 'globex' } })).toBe(1)
  })

  test('lists show its own tenant only, whatever the filter asks for', async () => {
    const mine = await api.ask('POST', '/v1/tenants/acme/subscriptions', {
      url: 'https://93.184.215.14/',
      event_types: ['*'],
    })
    await api.ask('POST', '/v1/events', { tenant: 'acme', type: 'invoice.paid', data: 1 }, { as: 'tenant' })
    for (const list of ['subscriptions', 'events', 'deliveries']) {
      const all = await api.ask('GET', `/v1/${list}`, undefined, { as: 'tenant' })
      expect(all.body.data.map((one: { tenant: string }) => one.tenant)).toEqual(['acme'])
      const asked = await api.ask('GET', `/v1/${list}?tenant=globex&tenant=acme`, undefined, { as: 'tenant' })
      expect(asked.body.data.map((one: { tenant: string }) => one.tenant)).toEqual(['acme'])
      const theirs = await api.ask('GET', `/v1/${list}?tenant=globex`, undefined, { as: 'tenant' })
      expect(theirs.body.data).toEqual([])
    }
    const bySubscription = await api.ask('GET', `/v1/deliveries?subscription=${foreign.subscription}`, undefined, {
      as: 'tenant',
    })
    expect(bySubscription.body.data).toEqual([])
    const tenants = await api.ask('GET', '/v1/tenants', undefined, { as: 'tenant' })
    expect(tenants.body.data.map((one: { id: string }) => one.id)).toEqual(['acme'])
    expect((await api.ask('GET', `/v1/subscriptions/${mine.body.id}`, undefined, { as: 'tenant' })).status).toBe(200)
  })

  test("another tenant's cursor shows nothing of that tenant", async () => {
    await api.ask('POST', '/v1/events', { tenant: 'globex', type: 'invoice.paid', data: 2 })
    const first = await api.ask('GET', '/v1/events?tenant=globex&limit=1')
    expect(first.body.next_cursor).not.toBeNull()
    const stolen = await api.ask('GET', `/v1/events?cursor=${first.body.next_cursor}`, undefined, { as: 'tenant' })
    expect(stolen.body.data.every((one: { tenant: string }) => one.tenant === 'acme')).toBe(true)
  })
})

test('payloads are left out for support, and shown to the other readers', async () => {
  const { body } = await api.ask('POST', '/v1/events', { tenant: 'acme', type: 'invoice.paid', data: { card: '4242' } })
  const delivery = body.deliveries[0].id
  for (const role of ['support', 'viewer', 'admin', 'tenant'] as const) {
    const shown = role !== 'support'
    const event = await api.ask('GET', `/v1/events/${body.id}`, undefined, { as: role })
    const expanded = await api.ask('GET', `/v1/deliveries/${delivery}?expand=event`, undefined, { as: role })
    const attempts = await api.ask('GET', `/v1/deliveries/${delivery}/attempts`, undefined, { as: role })
    expect([role, event.text.includes('4242')]).toEqual([role, shown])
    expect([role, expanded.text.includes('4242')]).toEqual([role, shown])
    expect([role, attempts.text.includes('4242')]).toEqual([role, shown])
    if (!shown) expect(event.body).toMatchObject({ data_redacted: true })
  }
})

/** A problem without what differs between any two: the ids in it. */
function nameless(text: string): string {
  return text.replace(/[a-z]{3}_[0-9a-z]{26}/g, 'ID').replace(/req_[0-9a-f]+/, 'REQ')
}
