import { formatId } from '@posthorn/contract'
import { withClient } from '@posthorn/engine/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { callbackUrl, startTestApi, type TestApi } from '../testing/api.ts'

type Change = {
  action: string
  method: string
  path(): string
  body?: unknown
  /** What the entry names. */
  target(answer: { id?: string }): string
  tenant: string | null
}

let api: TestApi
let of: Record<'subscription' | 'delivery' | 'key' | 'session' | 'replay' | 'mended' | 'hopeless', string>
let adminKey: string

beforeAll(async () => {
  api = await startTestApi()
  adminKey = (await api.ask('GET', '/v1/credential')).body.id
  const draft = { url: callbackUrl, event_types: ['*'], signature_schemes: ['v1a', 'v1'] }
  const subscribed = await api.ask('POST', '/v1/tenants/acme/subscriptions', draft)
  const published = await api.ask('POST', '/v1/events', { tenant: 'acme', type: 'invoice.paid', data: 1 })
  const key = await api.ask('POST', '/v1/api-keys', { name: 'old', role: 'tenant', tenant: 'acme' })
  const session = await api.ask('POST', '/v1/tenants/acme/portal-sessions', { capabilities: ['events:read'] })
  const [{ id: delivery }] = published.body.deliveries
  const [mended, hopeless] = [await refusedInOutbox(), await refusedInOutbox()]
  const replay = await api.ask('POST', '/v1/replays', { filter: {}, only: 'all' })
  expect(replay.status).toBe(201)
  of = {
    subscription: subscribed.body.id,
    delivery,
    key: key.body.id,
    session: session.body.id,
    replay: replay.body.id,
    mended,
    hopeless,
  }
})
afterAll(() => api[Symbol.asyncDispose]())

const created = ({ id = '' }: { id?: string }) => id
const ofSubscription = { path: '', tenant: 'acme', target: () => of.subscription }
const ofReplay = { tenant: null, target: () => of.replay }
const draft = { url: callbackUrl, event_types: ['*'] }

/** Every operation that changes, reveals or resends something, in an order in which each can be done. */
const changes: Readonly<Record<string, Change>> = {
  putTenant: { action: 'tenant_put', method: 'PUT', path: () => '/v1/tenants/new', body: {}, target: () => 'new', tenant: 'new' },
  putEventType: { action: 'event_type_put', method: 'PUT', path: () => '/v1/event-types/a.b', body: {}, target: () => 'a.b', tenant: null },
  createEventTypeVersion: { action: 'event_type_version_created', method: 'POST', path: () => '/v1/event-types/a.b/versions', body: { schema: {} }, target: () => 'a.b', tenant: null },
  archiveEventType: { action: 'event_type_archived', method: 'DELETE', path: () => '/v1/event-types/a.b', target: () => 'a.b', tenant: null },
  createSubscription: { action: 'subscription_created', method: 'POST', path: () => '/v1/tenants/acme/subscriptions', body: draft, target: created, tenant: 'acme' },
  patchSubscription: { ...ofSubscription, action: 'subscription_changed', method: 'PATCH', path: () => `/v1/subscriptions/${of.subscription}`, body: { description: 'changed' } },
  revealSecrets: { ...ofSubscription, action: 'secrets_revealed', method: 'GET', path: () => `/v1/subscriptions/${of.subscription}/secrets` },
  rotateSecret: { ...ofSubscription, action: 'secret_rotated', method: 'POST', path: () => `/v1/subscriptions/${of.subscription}/secrets`, body: {} },
  rotateKeyPair: { ...ofSubscription, action: 'key_pair_rotated', method: 'POST', path: () => `/v1/subscriptions/${of.subscription}/public-keys`, body: {} },
  cancelDelivery: { action: 'delivery_canceled', method: 'POST', path: () => `/v1/deliveries/${of.delivery}/cancel`, body: {}, target: () => of.delivery, tenant: 'acme' },
  resendDelivery: { action: 'delivery_resent', method: 'POST', path: () => `/v1/deliveries/${of.delivery}/resend`, body: {}, target: () => of.delivery, tenant: 'acme' },
  createReplay: { action: 'replay_created', method: 'POST', path: () => '/v1/replays', body: { filter: {} }, target: created, tenant: null },
  patchReplay: { ...ofReplay, action: 'replay_changed', method: 'PATCH', path: () => `/v1/replays/${of.replay}`, body: { note: 'changed' } },
  runReplay: { ...ofReplay, action: 'replay_started', method: 'POST', path: () => `/v1/replays/${of.replay}/run`, body: {} },
  pauseReplay: { ...ofReplay, action: 'replay_paused', method: 'POST', path: () => `/v1/replays/${of.replay}/pause`, body: {} },
  resumeReplay: { ...ofReplay, action: 'replay_resumed', method: 'POST', path: () => `/v1/replays/${of.replay}/resume`, body: {} },
  cancelReplay: { ...ofReplay, action: 'replay_canceled', method: 'POST', path: () => `/v1/replays/${of.replay}/cancel`, body: {} },
  importEventTypes: { action: 'event_types_imported', method: 'POST', path: () => '/v1/event-types/import', body: { openapi: '3.1.0', info: { title: 'T', version: '1' }, webhooks: { 'c.d': { post: {} } } }, target: () => '1 event types', tenant: null },
  pauseSubscription: { ...ofSubscription, action: 'subscription_paused', method: 'POST', path: () => `/v1/subscriptions/${of.subscription}/pause`, body: {} },
  resumeSubscription: { ...ofSubscription, action: 'subscription_resumed', method: 'POST', path: () => `/v1/subscriptions/${of.subscription}/resume`, body: {} },
  deleteSubscription: { ...ofSubscription, action: 'subscription_deleted', method: 'DELETE', path: () => `/v1/subscriptions/${of.subscription}` },
  retryOutboxEvent: { action: 'outbox_event_retried', method: 'POST', path: () => `/v1/outbox-events/${of.mended}/retry`, target: () => of.mended, tenant: 'acme' },
  deleteOutboxEvent: { action: 'outbox_event_given_up', method: 'DELETE', path: () => `/v1/outbox-events/${of.hopeless}`, target: () => of.hopeless, tenant: 'acme' },
  createApiKey: { action: 'api_key_created', method: 'POST', path: () => '/v1/api-keys', body: { name: 'k', role: 'tenant', tenant: 'acme' }, target: created, tenant: 'acme' },
  revokeApiKey: { action: 'api_key_revoked', method: 'DELETE', path: () => `/v1/api-keys/${of.key}`, target: () => of.key, tenant: 'acme' },
  createPortalSession: { action: 'portal_session_created', method: 'POST', path: () => '/v1/tenants/acme/portal-sessions', body: { capabilities: ['events:read'] }, target: created, tenant: 'acme' },
  revokePortalSession: { action: 'portal_session_revoked', method: 'DELETE', path: () => `/v1/portal-sessions/${of.session}`, target: () => of.session, tenant: 'acme' },
  createErasure: { action: 'erasure_requested', method: 'POST', path: () => '/v1/erasures', body: { tenant: 'acme', reason: 'body' }, target: created, tenant: 'acme' },
  deleteTenant: { action: 'tenant_deleted', method: 'DELETE', path: () => '/v1/tenants/new', target: () => 'new', tenant: 'new' },
} // biome-ignore format: one operation a line

/** Those that are no GET and write no entry, and why. */
const notAudited: Readonly<Record<string, string>> = {
  publishEvent: 'an event is its own record',
  publishEvents: 'an event is its own record',
  checkFilter: 'it changes nothing',
  previewTransform: 'it changes nothing',
  checkSignature: 'it changes nothing',
}

test('a test of a subscription stands in the log even when no dispatcher came for it', async () => {
  const { body: made } = await api.ask('POST', '/v1/tenants/acme/subscriptions', draft)
  const tested = await api.ask('POST', `/v1/subscriptions/${made.id}/test`, {})
  expect([tested.status, tested.body.code]).toEqual([503, 'no_dispatcher'])
  const { body } = await api.ask('GET', `/v1/audit?target=${made.id}&action=subscription_tested`)
  expect(body.data).toMatchObject([{ action: 'subscription_tested', tenant: 'acme', actor: adminKey }])
})

test('a check of a receiver stands in the log even when no dispatcher came for it', async () => {
  const { body: made } = await api.ask('POST', '/v1/tenants/acme/subscriptions', draft)
  const checked = await api.ask('POST', `/v1/subscriptions/${made.id}/conformance`, {})
  expect([checked.status, checked.body.code]).toEqual([503, 'no_dispatcher'])
  const { body } = await api.ask('GET', `/v1/audit?target=${made.id}&action=subscription_tested`)
  expect(body.data).toMatchObject([{ action: 'subscription_tested', tenant: 'acme', actor: adminKey }])
})

test('a replay by the operator of one tenant alone stands in the audit log of that tenant, and one of several in none', async () => {
  const draftOf = async (tenant: string | string[]) => {
    const { body } = await api.ask('POST', '/v1/replays', { filter: { tenant } })
    return String(body.id)
  }
  const [one, once, several] = [
    await draftOf('globex'),
    await draftOf(['globex', 'globex']),
    await draftOf(['acme', 'globex']),
  ]
  await api.ask('PATCH', `/v1/replays/${one}`, { note: 'theirs' })
  await api.ask('POST', `/v1/replays/${one}/cancel`)
  const { body } = await api.ask('GET', '/v1/audit?tenant=globex&order=asc')
  const found = body.data.filter(({ target }: { target: string }) => [one, once, several].includes(target))
  expect(found.map(({ action, target }: { action: string; target: string }) => [action, target])).toEqual([
    ['replay_created', one],
    ['replay_created', once],
    ['replay_changed', one],
    ['replay_canceled', one],
  ])
})

test('every operation that is no GET is audited, or named here with the reason why not', async () => {
  const { body } = await api.ask('GET', '/openapi.json', undefined, { as: null })
  const paths: Record<string, Record<string, { operationId: string }>> = body.paths
  const writing = Object.values(paths).flatMap((methods) =>
    Object.entries(methods).flatMap(([method, { operationId }]) => (method === 'get' ? [] : [operationId])),
  )
  // A test of a subscription is answered 2xx only where there is a dispatcher; see above.
  const tests = ['testSubscription', 'checkReceiver']
  const named = [...Object.keys(changes), ...Object.keys(notAudited), ...tests].filter(
    (name) => name !== 'revealSecrets',
  )
  expect(writing.toSorted()).toEqual(named.toSorted())
})

/** An event in the outbox that was refused. */
async function refusedInOutbox(): Promise<string> {
  const problem = JSON.stringify({ code: 'event_type_not_found', detail: 'It is not known.', errors: [] })
  const { rows: written } = await api.db.pool.query<{ id: string }>(
    `insert into outbox_event (tenant_id, type, data, refused_at, problem) values ('acme', 'a.b', '1', now(), $1) returning id`,
    [problem],
  )
  return formatId('outbox_event', written[0]?.id ?? '')
}

async function newestEntry() {
  return (await api.ask('GET', '/v1/audit?limit=1')).body.data[0]
}

/** Nothing can be written to the log while `work` runs. */
async function withoutLog(work: () => Promise<void>): Promise<void> {
  await withClient(api.url, async (client) => {
    await client.query('alter table audit_entry add constraint closed check (false) not valid')
    try {
      await work()
    } finally {
      await client.query('alter table audit_entry drop constraint closed')
    }
  })
}

describe.each(Object.entries(changes).map(([operation, change]) => ({ operation, ...change })))(
  '$operation',
  (change) => {
    test('is not done, and shows nothing, when its entry cannot be written', async () => {
      const count = await api.db.prisma.auditEntry.count()
      const before = await rows()
      await withoutLog(async () => {
        const { status, body } = await api.ask(change.method, change.path(), change.body)
        expect([status, body.code]).toEqual([500, 'internal_error'])
      })
      expect(await rows()).toEqual(before)
      expect(await api.db.prisma.auditEntry.count()).toBe(count)
    })

    test('writes one entry: who, what, of whom, and why', async () => {
      const count = await api.db.prisma.auditEntry.count()
      const headers = { 'x-audit-reason': Buffer.from('Kundin rief an – Ticket 4711').toString('latin1') }
      const answer = await api.ask(change.method, change.path(), change.body, { headers })
      expect([200, 201, 202, 204]).toContain(answer.status)
      expect(await api.db.prisma.auditEntry.count()).toBe(count + 1)
      expect(await newestEntry()).toEqual({
        id: expect.stringMatching(/^aud_/),
        tenant: change.tenant,
        actor: adminKey,
        on_behalf_of: null,
        action: change.action,
        target: change.target(answer.body ?? {}),
        reason: Object(change.body).reason ?? 'Kundin rief an – Ticket 4711',
        request_id: answer.headers['x-request-id'],
        created_at: expect.any(String),
      })
    })
  },
)

/** All that a change could change. */
async function rows(): Promise<unknown> {
  const { prisma } = api.db
  return Promise.all([
    prisma.tenant.findMany({ orderBy: { id: 'asc' } }),
    prisma.eventType.findMany({ orderBy: { name: 'asc' } }),
    prisma.eventTypeVersion.count(),
    prisma.subscription.findMany({ orderBy: { id: 'asc' } }),
    prisma.secret.findMany({ orderBy: { id: 'asc' } }),
    prisma.delivery.findMany({ orderBy: { id: 'asc' } }),
    prisma.backlog.count(),
    prisma.apiKey.findMany({ orderBy: { id: 'asc' } }),
    prisma.portalSession.findMany({ orderBy: { id: 'asc' } }),
    prisma.outboxEvent.findMany({ orderBy: { id: 'asc' } }),
    prisma.erasure.count(),
  ])
}

test('a request that is refused writes nothing', async () => {
  const count = await api.db.prisma.auditEntry.count()
  const refused = [
    await api.ask('GET', '/v1/subscriptions/sub_00000000000000000000000000/secrets'),
    await api.ask('GET', `/v1/subscriptions/${of.subscription}/secrets`, undefined, { as: 'viewer' }),
    await api.ask('POST', '/v1/api-keys', { name: 'x' }),
    await api.ask('DELETE', '/v1/tenants/nobody'),
    await api.ask('POST', `/v1/deliveries/${of.delivery}/resend`, { reason: 'again' }),
    await api.ask('PUT', '/v1/tenants/acme', {}, { headers: { 'x-audit-reason': 'x'.repeat(2001) } }),
    await api.ask('PUT', '/v1/tenants/acme', {}, { headers: { 'x-audit-reason': '\xff' } }),
  ]
  expect(refused.map(({ status }) => Math.floor(status / 100))).toEqual(refused.map(() => 4))
  expect(await api.db.prisma.auditEntry.count()).toBe(count)
})

test('a patch that names no member changes nothing, and writes nothing', async () => {
  const { body } = await api.ask('POST', '/v1/tenants/acme/subscriptions', { url: callbackUrl, event_types: ['*'] })
  const before = await newestEntry()
  const { status, body: after } = await api.ask('PATCH', `/v1/subscriptions/${body.id}`, {})
  expect([status, after.updated_at, (await newestEntry()).id]).toEqual([200, body.updated_at, before.id])
})

test('an entry names the portal session, who uses it, and the reason in the body', async () => {
  const subscribed = await api.ask('POST', '/v1/tenants/acme/subscriptions', draft)
  const published = await api.ask('POST', '/v1/events', { tenant: 'acme', type: 'invoice.paid', data: 1 })
  const delivery = published.body.deliveries[0].id
  const capabilities = ['deliveries:resend', 'deliveries:cancel']
  const session = await api.ask('POST', '/v1/tenants/acme/portal-sessions', { capabilities, on_behalf_of: 'ada' })
  await api.ask('POST', `/v1/deliveries/${delivery}/cancel`, {}, { as: session.body.token })
  await api.ask('POST', `/v1/deliveries/${delivery}/resend`, { reason: 'they asked' }, { as: session.body.token })
  expect(await newestEntry()).toMatchObject({
    actor: session.body.id,
    on_behalf_of: 'ada',
    action: 'delivery_resent',
    target: delivery,
    reason: 'they asked',
    tenant: 'acme',
  })
  expect(subscribed.status).toBe(201)
})

test('the log is filtered by tenant, actor, action, target and time, and comes in pages', async () => {
  const ids = async (query: string) => {
    const { status, body } = await api.ask('GET', `/v1/audit?${query}`)
    expect(status).toBe(200)
    return body.data.map((one: { action: string; target: string }) => `${one.action} ${one.target}`)
  }
  expect(await ids('tenant=new')).toEqual(['tenant_deleted new', 'tenant_put new'])
  expect(await ids('tenant=new&order=asc')).toEqual(['tenant_put new', 'tenant_deleted new'])
  expect(await ids(`target=${of.key}&action=api_key_revoked`)).toEqual([`api_key_revoked ${of.key}`])
  expect(await ids('action=tenant_put&action=tenant_deleted&tenant=new&tenant=none')).toHaveLength(2)
  expect(await ids('actor=key_00000000000000000000000000')).toEqual([])
  expect(await ids(`tenant=new&actor=${adminKey}&since=1h`)).toHaveLength(2)
  expect(await ids('tenant=new&until=1h')).toEqual([])
  const first = await api.ask('GET', '/v1/audit?tenant=new&limit=1')
  expect(await ids(`tenant=new&limit=1&cursor=${first.body.next_cursor}`)).toEqual(['tenant_put new'])
  const bad = await api.ask('GET', '/v1/audit?action=peeked')
  expect([bad.status, bad.body.code]).toEqual([422, 'invalid_request'])
})

test('the database refuses to change the log, and to take away what is younger than thirty days', async () => {
  await withClient(api.url, async (client) => {
    await expect(client.query("update audit_entry set reason = 'nothing'")).rejects.toThrow('append-only')
    await expect(client.query('delete from audit_entry')).rejects.toThrow('append-only')
    await expect(client.query('truncate audit_entry')).rejects.toThrow('append-only')
    const old = '01900000-0000-7000-8000-000000000000' // June 2024
    await client.query("insert into audit_entry (id, actor, action, target) values ($1, 'key_x', 'tenant_put', 'x')", [
      old,
    ])
    await expect(client.query("update audit_entry set reason = 'x' where id = $1", [old])).rejects.toThrow(
      'append-only',
    )
    expect((await client.query('delete from audit_entry where id = $1', [old])).rowCount).toBe(1)
  })
})
