import { formatId, limits, type PortalCapability, parseId, portalCapabilities } from '@posthorn/contract'
import { createApiKey } from '@posthorn/engine'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { callbackUrl, startTestApi, type TestApi, world } from '../testing/api.ts'

let api: TestApi
beforeAll(async () => {
  api = await startTestApi({ settings: { POSTHORN_PUBLIC_URL: 'https://hooks.saas.example' } })
})
afterAll(() => api[Symbol.asyncDispose]())

async function session(capabilities: readonly PortalCapability[], more: Record<string, unknown> = {}, as = 'admin') {
  const { tenant = 'acme', ...body } = more
  return api.ask('POST', `/v1/tenants/${tenant}/portal-sessions`, { capabilities, ...body }, { as })
}

test('one call gives a link to the portal, with the token behind the # that browsers send to nobody', async () => {
  const theme = { mode: 'dark', accent: '#0f62fe', radius_px: 8, logo_url: 'https://saas.example/logo.svg' }
  const { status, body, headers } = await session(['deliveries:read'], { ttl_seconds: 600, theme, on_behalf_of: 'ada' })
  expect(status).toBe(201)
  expect(headers['cache-control']).toBe('no-store')
  expect(body.token).toMatch(/^phs_[A-Za-z0-9]{33}$/)
  expect(body.url).toBe(`https://hooks.saas.example/portal#token=${body.token}`)
  expect(new URL(body.url).search).toBe('')
  expect(body).toMatchObject({ tenant: 'acme', capabilities: ['deliveries:read'], theme, on_behalf_of: 'ada' })
  expect(Date.parse(body.expires_at) - Date.parse(body.created_at)).toBeGreaterThan(590_000)
  expect(Date.parse(body.expires_at) - Date.parse(body.created_at)).toBeLessThan(610_000)
  const read = await api.ask('GET', `/v1/portal-sessions/${body.id}`)
  expect(read.body).toEqual(Object.fromEntries(Object.entries(body).filter(([name]) => !/^(url|token)$/.test(name))))
})

test('the token is stored as its hash alone', async () => {
  const { body } = await session(['events:read'])
  const row = await api.db.prisma.portalSession.findUniqueOrThrow({
    where: { id: parseId('portal_session', body.id) ?? '' },
  })
  expect(row.hash).toHaveLength(32)
  expect(JSON.stringify(row)).not.toContain(body.token)
  const list = await api.ask('GET', '/v1/tenants/acme/portal-sessions')
  expect(list.text).not.toContain(body.token)
  expect(list.body.data[0].id).toBe(body.id)
})

test.each([
  ['no capability', { capabilities: [] }],
  ['no list of them', {}],
  ['a capability that is none', { capabilities: ['events:publish'] }],
  ['a capability twice', { capabilities: ['events:read', 'events:read'] }],
  ['a life that is too short', { capabilities: ['events:read'], ttl_seconds: limits.portalSessionSecondsMin - 1 }],
  ['a life that is too long', { capabilities: ['events:read'], ttl_seconds: limits.portalSessionSecondsMax + 1 }],
  ['a style sheet', { capabilities: ['events:read'], theme: { css: 'body{}' } }],
  ['a font that ends its rule', { capabilities: ['events:read'], theme: { font: 'a;}' } }],
  ['a logo that is script', { capabilities: ['events:read'], theme: { logo_url: 'javascript:alert(1)' } }],
  ['a logo that ends its attribute', { capabilities: ['events:read'], theme: { logo_url: 'https://a/"x' } }],
  ['an empty person', { capabilities: ['events:read'], on_behalf_of: '' }],
])('422 for %s, and no session', async (_what, body) => {
  const before = await api.db.prisma.portalSession.count()
  const answer = await api.ask('POST', '/v1/tenants/acme/portal-sessions', body)
  expect([answer.status, answer.body.code]).toEqual([422, 'invalid_request'])
  expect(answer.body.errors.length).toBeGreaterThan(0)
  expect(await api.db.prisma.portalSession.count()).toBe(before)
})

test('404 for a session of a tenant that is not there', async () => {
  const { status, body } = await session(['events:read'], { tenant: 'nobody' })
  expect([status, body.code]).toEqual([404, 'tenant_not_found'])
})

test('nobody gives a session what their own key may not do', async () => {
  for (const capability of ['payloads:read', 'secrets:reveal', 'subscriptions:write', 'deliveries:cancel'] as const) {
    const { status, body } = await session(['deliveries:read', capability], {}, 'support')
    expect([status, body.code]).toEqual([403, 'forbidden'])
    expect(body.detail).toContain(capability)
  }
  expect((await session(['subscriptions:read', 'deliveries:resend'], {}, 'support')).status).toBe(201)
  expect((await session(portalCapabilities)).status).toBe(201)
})

test('a session makes no session, whatever it may do', async () => {
  const { body } = await session(portalCapabilities)
  const { status } = await session(['events:read'], {}, body.token)
  expect(status).toBe(403)
})

test('a session and a key can find out what they are and may do', async () => {
  const { body } = await session(['deliveries:resend'], { theme: { mode: 'light' }, on_behalf_of: 'user_81' })
  const own = await api.ask('GET', '/v1/credential', undefined, { as: body.token })
  expect(own.body).toEqual({
    kind: 'portal_session',
    id: body.id,
    tenant: 'acme',
    role: null,
    capabilities: ['deliveries:resend'],
    permissions: [
      'credential:read',
      'deliveries:read',
      'deliveries:resend',
      'replays:read',
      'replays:write',
      'search:read',
      'stream:read',
      'metrics:read',
    ],
    on_behalf_of: 'user_81',
    theme: { mode: 'light' },
    expires_at: body.expires_at,
  })
  const key = await api.ask('GET', '/v1/credential', undefined, { as: 'viewer' })
  expect(key.body).toMatchObject({ kind: 'api_key', role: 'viewer', tenant: null, capabilities: null, theme: null })
  expect(key.body.permissions).toContain('payloads:read')
  expect(key.body.permissions).not.toContain('api-keys:read')
})

describe('a session', () => {
  type Asked = [method: string, path: string, body?: unknown]
  let mine: { subscription: string; event: string; delivery: string }
  let theirs: typeof mine
  beforeAll(async () => {
    mine = await objectsOf('acme')
    theirs = await objectsOf('globex')
  })

  async function objectsOf(tenant: string) {
    const draft = { url: callbackUrl, event_types: ['*'] }
    const subscribed = await api.ask('POST', `/v1/tenants/${tenant}/subscriptions`, draft)
    const published = await api.ask('POST', '/v1/events', { tenant, type: 'invoice.paid', data: { card: '4242' } })
    const [{ id: delivery }] = published.body.deliveries
    return { subscription: subscribed.body.id, event: published.body.id, delivery }
  }

  /** What each capability opens. */
  const opened = (of: typeof mine): Record<PortalCapability, Asked> => ({
    'event-types:read': ['GET', '/v1/event-types'],
    'subscriptions:read': ['GET', `/v1/subscriptions/${of.subscription}`],
    'subscriptions:write': ['PATCH', `/v1/subscriptions/${of.subscription}`, { description: 'mine' }],
    'subscriptions:pause': ['POST', `/v1/subscriptions/${of.subscription}/resume`],
    'secrets:reveal': ['GET', `/v1/subscriptions/${of.subscription}/secrets`],
    'secrets:rotate': ['POST', `/v1/subscriptions/${of.subscription}/secrets`, { overlap_seconds: 0 }],
    'events:read': ['GET', `/v1/events/${of.event}`],
    'payloads:read': ['GET', '/v1/credential'],
    'deliveries:read': ['GET', `/v1/deliveries/${of.delivery}/attempts`],
    'deliveries:resend': ['POST', `/v1/deliveries/${of.delivery}/resend`],
    'deliveries:cancel': ['POST', `/v1/deliveries/${of.delivery}/cancel`],
  })

  test.each(portalCapabilities.map((one) => [one]))(
    'with %s alone may do that and nothing else',
    async (capability) => {
      const { body } = await session([capability])
      const [method, path, given] = opened(mine)[capability]
      const allowed = await api.ask(method, path, given, { as: body.token })
      expect([200, 201, 202, 409]).toContain(allowed.status)
      for (const [other, [otherMethod, otherPath, otherBody]] of Object.entries(opened(mine))) {
        const implied = other === 'payloads:read' || other === capability || isImplied(capability, other)
        if (implied) continue
        const refused = await api.ask(otherMethod, otherPath, otherBody, { as: body.token })
        expect([other, refused.status]).toEqual([other, 403])
        expect(refused.body.detail).toContain('This portal session may not do this')
      }
    },
  )

  test('404 for every object of another tenant, whatever it may do', async () => {
    const { body } = await session(portalCapabilities)
    const forEverybody = ['event-types:read', 'payloads:read']
    for (const [capability, [method, path, given]] of Object.entries(opened(theirs))) {
      if (forEverybody.includes(capability)) continue
      const answer = await api.ask(method, path, given, { as: body.token })
      expect([capability, answer.status]).toEqual([capability, 404])
    }
    const made = await api.ask(
      'POST',
      '/v1/tenants/globex/subscriptions',
      { url: callbackUrl, event_types: ['*'] },
      {
        as: body.token,
      },
    )
    expect([made.status, made.body.code]).toEqual([404, 'tenant_not_found'])
    for (const list of ['events', 'deliveries', 'subscriptions']) {
      const all = await api.ask('GET', `/v1/${list}?tenant=globex&tenant=acme`, undefined, { as: body.token })
      expect(new Set(all.body.data.map((one: { tenant: string }) => one.tenant))).toEqual(new Set(['acme']))
    }
  })

  test('what it expands needs the same permission as when it is read by itself', async () => {
    const { body } = await session(['deliveries:read'])
    const asked = (expand: string) =>
      api.ask('GET', `/v1/deliveries/${mine.delivery}?expand=${expand}`, undefined, { as: body.token })
    expect((await asked('attempts')).status).toBe(200)
    expect((await asked('event')).status).toBe(403)
    expect((await asked('attempts,subscription')).status).toBe(403)
  })

  test('never publishes', async () => {
    const { body } = await session(portalCapabilities)
    const event = { tenant: 'acme', type: 'invoice.paid', data: 1 }
    expect((await api.ask('POST', '/v1/events', event, { as: body.token })).status).toBe(403)
    expect((await api.ask('POST', '/v1/events?dry_run=1', event, { as: body.token })).status).toBe(403)
    expect((await api.ask('POST', '/v1/events/batch', { events: [event] }, { as: body.token })).status).toBe(403)
  })

  test('stands as the actor beside what it resent', async () => {
    const { body } = await session(['deliveries:resend', 'deliveries:cancel'])
    const { delivery } = await objectsOf('acme')
    expect((await api.ask('POST', `/v1/deliveries/${delivery}/cancel`, {}, { as: body.token })).status).toBe(200)
    expect((await api.ask('POST', `/v1/deliveries/${delivery}/resend`, {}, { as: body.token })).status).toBe(202)
    const work = await api.db.prisma.backlog.findUniqueOrThrow({
      where: { deliveryId: parseId('delivery', delivery) ?? '' },
    })
    expect(work.actor).toBe(body.id)
  })
})

/** Who may change something may see it. */
function isImplied(capability: PortalCapability, other: string): boolean {
  const implied: Partial<Record<PortalCapability, readonly string[]>> = {
    'subscriptions:write': ['subscriptions:read', 'subscriptions:pause'],
    'subscriptions:pause': ['subscriptions:read'],
    'deliveries:resend': ['deliveries:read'],
    'deliveries:cancel': ['deliveries:read'],
  }
  return implied[capability]?.includes(other) ?? false
}

describe('401 from the next request on', () => {
  const alive = async (as: string) => (await api.ask('GET', '/v1/credential', undefined, { as })).status

  test('when a session was revoked; revoking it again changes nothing', async () => {
    const { body } = await session(['events:read'])
    expect(await alive(body.token)).toBe(200)
    expect((await api.ask('DELETE', `/v1/portal-sessions/${body.id}`)).status).toBe(204)
    expect(await alive(body.token)).toBe(401)
    const { revoked_at } = (await api.ask('GET', `/v1/portal-sessions/${body.id}`)).body
    expect((await api.ask('DELETE', `/v1/portal-sessions/${body.id}`)).status).toBe(204)
    expect((await api.ask('GET', `/v1/portal-sessions/${body.id}`)).body.revoked_at).toBe(revoked_at)
  })

  test('when its time is over', async () => {
    const { body } = await session(['events:read'])
    await api.db.prisma.portalSession.update({
      where: { id: parseId('portal_session', body.id) ?? '' },
      data: { expiresAt: new Date(Date.now() - 1) },
    })
    expect(await alive(body.token)).toBe(401)
  })

  test('when the key that it was made with was revoked', async () => {
    const draft = { name: 'backend', role: 'admin', tenantId: null, expiresAt: null } as const
    const { key, apiKey } = await createApiKey({ db: api.db, world }, draft)
    const { body } = await session(['events:read'], {}, key)
    expect(body.created_by).toBe(formatId('api_key', apiKey.id))
    expect(await alive(body.token)).toBe(200)
    expect((await api.ask('DELETE', `/v1/api-keys/${body.created_by}`)).status).toBe(204)
    expect(await alive(body.token)).toBe(401)
  })

  test('when its tenant was deleted', async () => {
    await api.ask('PUT', '/v1/tenants/shortlived', {})
    const { body } = await session(['events:read'], { tenant: 'shortlived' })
    expect(await alive(body.token)).toBe(200)
    expect((await api.ask('DELETE', '/v1/tenants/shortlived')).status).toBe(204)
    expect(await alive(body.token)).toBe(401)
  })
})

test('a session ends with its key, also where it was to last longer', async () => {
  const expiresAt = new Date(Date.now() + 120_000)
  const { key } = await createApiKey({ db: api.db, world }, { name: 'short', role: 'admin', tenantId: null, expiresAt })
  const { body } = await session(['events:read'], { ttl_seconds: 3600 }, key)
  expect(body.expires_at).toBe(expiresAt.toISOString())
})

test('a token in the URL is refused like a key there, even beside a good one', async () => {
  const { body } = await session(portalCapabilities)
  for (const as of [body.token, 'admin']) {
    const answer = await api.ask('GET', `/v1/events?token=${body.token}`, undefined, { as })
    expect([answer.status, answer.body.code]).toEqual([401, 'unauthenticated'])
    expect(answer.body.detail).toContain('in the URL')
    expect(answer.text).not.toContain(body.token)
  }
})

test('404 for sessions that are not there, and lists are of one tenant', async () => {
  const missing = formatId('portal_session', '019ab0fa-5c3e-7b1d-9a44-0c6f2e8d5b17')
  for (const [method, id] of [
    ['GET', missing],
    ['DELETE', missing],
    ['GET', 'ses_1'],
    ['DELETE', 'phs_x'],
  ] as const) {
    const { status, body } = await api.ask(method, `/v1/portal-sessions/${id}`)
    expect([status, body.code]).toEqual([404, 'portal_session_not_found'])
  }
  const { body } = await session(['events:read'], { tenant: 'globex' })
  const list = await api.ask('GET', '/v1/tenants/acme/portal-sessions?limit=250')
  expect(list.body.data.map((one: { id: string }) => one.id)).not.toContain(body.id)
  expect(list.body.data.every((one: { tenant: string }) => one.tenant === 'acme')).toBe(true)
  const paged = await api.ask('GET', '/v1/tenants/acme/portal-sessions?limit=1')
  const next = await api.ask('GET', `/v1/tenants/acme/portal-sessions?limit=1&cursor=${paged.body.next_cursor}`)
  expect(next.body.data[0].id < paged.body.data[0].id).toBe(true)
  expect((await api.ask('GET', '/v1/tenants/nobody/portal-sessions')).body.code).toBe('tenant_not_found')
})
