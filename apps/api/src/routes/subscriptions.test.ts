import { limits, parseId } from '@posthorn/contract'
import { sealSecret } from '@posthorn/engine'
import { testSeal } from '@posthorn/engine/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { callbackUrl, startTestApi, type TestApi } from '../testing/api.ts'
import { urlRefusals } from '../testing/url-refusals.ts'

let api: TestApi
beforeAll(async () => {
  api = await startTestApi()
})
afterAll(() => api[Symbol.asyncDispose]())

const draft = { url: callbackUrl, event_types: ['invoice.*'] }
const path = '/v1/tenants/acme/subscriptions'

async function created(more: object = {}) {
  const { status, body } = await api.ask('POST', path, { ...draft, ...more })
  expect(status).toBe(201)
  return body
}

test('201 with everything given, and with the secret this once', async () => {
  const given = {
    event_types: ['invoice.*', 'ping'],
    description: 'Bücher',
    headers: { 'X-Api-Key': 'k 1', 'x-empty': '' },
    metadata: { a: [1] },
    timeout_ms: 2000,
    max_in_flight: 3,
    retry_schedule_seconds: [0, 60],
    rate_limit_per_second: 25,
    ordered: true,
  }
  const { secret, ...body } = await created(given)
  expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{48}$/)
  expect(body).toMatchObject({
    ...given,
    id: expect.stringMatching(/^sub_/),
    tenant: 'acme',
    url: callbackUrl,
    headers: { 'x-api-key': 'k 1', 'x-empty': '' },
    state: 'active',
    disabled_reason: null,
    not_before: null,
  })
  for (const read of [`/v1/subscriptions/${body.id}`, '/v1/subscriptions', `/v1/subscriptions?tenant=acme`]) {
    const { text } = await api.ask('GET', read)
    expect(text).toContain(body.id)
    expect(text).not.toContain('whsec_')
  }
  expect((await api.ask('GET', `/v1/subscriptions/${body.id}`)).body).toEqual(body)
})

test('what is left out gets its default, and the shard comes from the id', async () => {
  const body = await created()
  expect(body).toMatchObject({
    description: null,
    headers: {},
    metadata: {},
    timeout_ms: 15_000,
    max_in_flight: 10,
    retry_schedule_seconds: null,
    rate_limit_per_second: null,
    ordered: false,
  })
  const row = await api.db.prisma.subscription.findFirstOrThrow({ orderBy: { id: 'desc' } })
  expect(row.shard).toBe(Number.parseInt(row.id.slice(-2), 16) & 63)
})

test('the URL is stored as the parser understands it', async () => {
  const body = await created({ url: 'https://93.184.215.14:443/a/../b?x=%20' })
  expect(body.url).toBe('https://93.184.215.14/b?x=%20')
})

test('404 when the tenant does not exist', async () => {
  const { status, body } = await api.ask('POST', '/v1/tenants/nobody/subscriptions', draft)
  expect([status, body.code]).toEqual([404, 'tenant_not_found'])
})

test.each([
  ['http://93.184.215.14/', 'scheme'],
  ['https://user:pass@93.184.215.14/', 'credentials'],
  ['https://127.0.0.1/', 'blocked_address'],
  ['https://169.254.169.254/latest/meta-data/', 'blocked_address'],
  ['https://[::1]/', 'blocked_address'],
  ['https://localhost/', 'hostname'],
  ['https://93.184.215.14:22/', 'port'],
  ['https://93.184.215.14/#x', 'fragment'],
  ['https://no-such-host.example.com/', 'unresolvable'],
  ['nonsense', 'not_a_url'],
  ['javascript:alert(1)', 'scheme'],
  ['https://93.184.215.14/\r\nx: y', 'invalid_character'],
  [`https://93.184.215.14/${'x'.repeat(limits.urlLengthMax)}`, 'too_long'],
] as const)('422 when the URL %s cannot be called: %s', async (url, reason) => {
  const one = await created()
  for (const answer of [
    await api.ask('POST', path, { ...draft, url }),
    await api.ask('PATCH', `/v1/subscriptions/${one.id}`, { url }),
  ]) {
    expect([answer.status, answer.body.code]).toEqual([422, 'invalid_url'])
    expect(answer.body.errors).toEqual([{ pointer: '/url', detail: expect.stringMatching(urlRefusals[reason]) }])
  }
  expect((await api.ask('GET', `/v1/subscriptions/${one.id}`)).body.url).toBe(callbackUrl)
})

test.each([
  'host',
  'Host',
  'content-type',
  'Content-Length',
  'transfer-encoding',
  'connection',
  'keep-alive',
  'upgrade',
  'te',
  'trailer',
  'expect',
  'proxy-authorization',
  'sec-fetch-mode',
  'cookie',
  'authorization',
  'forwarded',
  'x-forwarded-for',
  'webhook-id',
  'WebHook-Signature',
  'posthorn-attempt',
  'user-agent',
])('422 when the header %s is to be set: it is reserved', async (name) => {
  // biome-ignore format: one list
  const { status, body } = await api.ask('POST', path, { ...draft, headers: { [name]: 'x' } })
  expect([status, body.code, body.errors[0].pointer]).toEqual([422, 'invalid_header', `/headers/${name}`])
})

test.each([
  [{ 'x-a': 'a\r\nset-cookie: b' }, '/headers/x-a'],
  [{ 'x-a': 'a\u0000' }, '/headers/x-a'],
  [{ 'x-a': 'ü' }, '/headers/x-a'],
  [{ 'x-a': ' a' }, '/headers/x-a'],
  [{ 'x-a': 'x'.repeat(4097) }, '/headers/x-a'],
  [{ 'x a': 'a' }, '/headers/x a'],
  [{ 'x-a\r\n': 'a' }, '/headers/x-a\r\n'],
  [{ '': 'a' }, '/headers/'],
  [{ 'X-A': 'a', 'x-a': 'b' }, '/headers/x-a'],
  [Object.fromEntries(Array.from({ length: 21 }, (_, i) => [`x-${i}`, 'a'])), '/headers'],
])('422 when a header cannot be sent: %j', async (headers, pointer) => {
  const { status, body } = await api.ask('POST', path, { ...draft, headers })
  expect([status, body.code, body.errors[0].pointer]).toEqual([422, 'invalid_header', pointer])
})

test.each([
  [{ event_types: undefined }, ''],
  [{ event_types: [] }, '/event_types'],
  [{ event_types: ['in voice'] }, '/event_types/0'],
  [{ event_types: ['a', 'a'] }, '/event_types'],
  [{ event_types: Array.from({ length: 51 }, (_, i) => `t${i}`) }, '/event_types'],
  [{ url: undefined }, ''],
  [{ timeout_ms: 999 }, '/timeout_ms'],
  [{ rate_limit_per_second: 0 }, '/rate_limit_per_second'],
  [{ rate_limit_per_second: 10_001 }, '/rate_limit_per_second'],
  [{ rate_limit_per_second: 1.5 }, '/rate_limit_per_second'],
  [{ ordered: 'yes' }, '/ordered'],
  [{ timeout_ms: 30_001 }, '/timeout_ms'],
  [{ max_in_flight: 0 }, '/max_in_flight'],
  [{ retry_schedule_seconds: [-1] }, '/retry_schedule_seconds/0'],
  [{ retry_schedule_seconds: [] }, '/retry_schedule_seconds'],
  [{ retry_schedule_seconds: Array.from({ length: 21 }, () => 1) }, '/retry_schedule_seconds'],
  [{ retry_schedule_seconds: [8 * 24 * 3600] }, '/retry_schedule_seconds/0'],
  [{ headers: { 'x-a': 1 } }, '/headers/x-a'],
  [{ metadata: { a: '\u0000' } }, '/metadata/a'],
  [{ state: 'paused' }, '/state'],
  [{ tenant: 'globex' }, '/tenant'],
  [{ shard: 1 }, '/shard'],
])('422 when a subscription is made with %j', async (more, pointer) => {
  const { status, body } = await api.ask('POST', path, { ...draft, ...more })
  expect([status, body.code]).toEqual([422, 'invalid_request'])
  expect(body.errors.map((one: { pointer: string }) => one.pointer)).toContain(pointer)
})

test('the caller may bring a secret along', async () => {
  const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
  const body = await created({ secret })
  expect(body.secret).toBe(secret)
  const { status, body: revealed } = await api.ask('GET', `/v1/subscriptions/${body.id}/secrets`)
  expect(status).toBe(200)
  expect(revealed).toEqual({
    data: [{ id: expect.stringMatching(/^sec_/), secret, created_at: expect.any(String), expires_at: null }],
  })
})

test.each([
  ['whsec_', /is too short/],
  [`whsec_${Buffer.alloc(23).toString('base64')}`, /at least 24 bytes$/],
  [`whsec_${Buffer.alloc(65).toString('base64')}`, /at most 64 bytes$/],
  ['whsec_####', /base64 does not have/],
  ['whsk_abc', /begins with whsec_$/],
])('422 when the secret brought along is %s: %s', async (secret, reason) => {
  const { status, body, text } = await api.ask('POST', path, { ...draft, secret })
  expect([status, body.code, body.errors]).toEqual([
    422,
    'invalid_secret',
    [{ pointer: '/secret', detail: expect.stringMatching(reason) }],
  ])
  expect(text).not.toContain('####')
})

test('secrets that have expired are not shown', async () => {
  const one = await created()
  const row = await api.db.prisma.secret.findFirstOrThrow({ orderBy: { id: 'desc' } })
  const old = (expiresAt: Date) => {
    const place = { id: crypto.randomUUID(), tenantId: row.tenantId, subscriptionId: row.subscriptionId }
    return { ...place, ...sealSecret(testSeal, new Uint8Array(32), { ...place, scheme: 'v1' }), expiresAt }
  }
  await api.db.prisma.secret.createMany({
    data: [old(new Date(Date.now() - 1_000)), old(new Date(Date.now() + 60_000))],
  })
  const { body } = await api.ask('GET', `/v1/subscriptions/${one.id}/secrets`)
  expect(body.data.map((secret: { expires_at: string | null }) => secret.expires_at)).toEqual([
    null,
    expect.any(String),
  ])
})

describe('PATCH', () => {
  test('200 with what is given changed, and all else as it was', async () => {
    const { secret: _, ...before } = await created({
      headers: { 'x-a': '1', 'x-b': '2' },
      metadata: { a: { b: 1, c: 2 } },
    })
    const { status, body } = await api.ask(
      'PATCH',
      `/v1/subscriptions/${before.id}`,
      {
        event_types: ['order.*'],
        headers: { 'X-A': null, 'x-c': '3' },
        metadata: { a: { b: null, d: [4] } },
        timeout_ms: 5000,
      },
      { headers: { 'content-type': 'application/merge-patch+json' } },
    )
    expect(status).toBe(200)
    expect(body).toEqual({
      ...before,
      event_types: ['order.*'],
      headers: { 'x-b': '2', 'x-c': '3' },
      metadata: { a: { c: 2, d: [4] } },
      timeout_ms: 5000,
      updated_at: body.updated_at,
      waiting: { count: 0, has_more: false },
    })
    expect(body.updated_at >= before.updated_at).toBe(true)
  })

  test('null clears, and what must be there cannot be cleared', async () => {
    const given = { description: 'd', headers: { 'x-a': '1' }, metadata: { a: 1 }, timeout_ms: 5000, max_in_flight: 2 }
    const contacts = [{ email: 'ops@acme.example', name: 'Ops' }]
    const more = {
      ...{ retry_schedule_seconds: [1], rate_limit_per_second: 10_000, ordered: true },
      ...{ forward_traceparent: true, contacts },
    }
    const before = await created({ ...given, ...more })
    expect(before).toMatchObject({ ...given, ...more })
    const cleared = Object.fromEntries(Object.keys({ ...given, ...more }).map((name) => [name, null]))
    const { body } = await api.ask('PATCH', `/v1/subscriptions/${before.id}`, cleared)
    expect(body).toMatchObject({
      description: null,
      headers: {},
      metadata: {},
      timeout_ms: 15_000,
      max_in_flight: 10,
      retry_schedule_seconds: null,
      rate_limit_per_second: null,
      ordered: false,
      forward_traceparent: false,
      contacts: [],
    })
    for (const name of ['url', 'event_types']) {
      const answer = await api.ask('PATCH', `/v1/subscriptions/${before.id}`, { [name]: null })
      expect([answer.status, answer.body.errors[0].pointer]).toEqual([422, `/${name}`])
    }
  })

  test('an empty patch changes nothing', async () => {
    const { secret: _, ...before } = await created()
    const { body } = await api.ask('PATCH', `/v1/subscriptions/${before.id}`, {})
    const { waiting: _waiting, ...after } = body
    expect({ ...after, updated_at: '' }).toEqual({ ...before, updated_at: '' })
  })

  test('the answer says how many deliveries the change applies to that wait already, held ones included', async () => {
    const { id } = await created()
    const event = { tenant: 'acme', type: 'invoice.paid', data: {}, subscriptions: [id] }
    const publish = async () => (await api.ask('POST', '/v1/events', event)).body.deliveries[0].id
    const [inFlight] = [await publish(), await publish(), await publish()]
    const deliveryId = parseId('delivery', inFlight) ?? ''
    const lease = { ready: false, leasedAt: new Date(), attemptId: deliveryId, attemptNumber: 1 }
    await api.db.prisma.backlog.update({ where: { deliveryId }, data: lease })
    await api.ask('POST', `/v1/subscriptions/${id}/pause`)
    await publish()
    const { body } = await api.ask('PATCH', `/v1/subscriptions/${id}`, { url: 'https://93.184.215.14/elsewhere' })
    expect(body).toMatchObject({ url: 'https://93.184.215.14/elsewhere', waiting: { count: 3, has_more: false } })
  })

  test('a new URL begins the health of a subscription anew, and the same one does not', async () => {
    const { id, url } = await created()
    const where = { id: parseId('subscription', id) ?? '' }
    const at = new Date('2026-11-20T09:00:00.000Z')
    const ailing = { failingSince: at, breakerOpenedAt: at, breakerProbeAt: at, breakerFailedProbes: 3 }
    await api.db.prisma.subscription.update({ where, data: ailing })
    const same = await api.ask('PATCH', `/v1/subscriptions/${id}`, { url })
    expect(same.body).toMatchObject({ failing_since: at.toISOString(), breaker_opened_at: at.toISOString() })
    const moved = await api.ask('PATCH', `/v1/subscriptions/${id}`, { url: 'https://93.184.215.14/elsewhere' })
    expect(moved.body).toMatchObject({ failing_since: null, breaker_opened_at: null })
    expect(await api.db.prisma.subscription.findUniqueOrThrow({ where })).toMatchObject({ breakerFailedProbes: 0 })
  })

  test('422 when the merged whole is too much, although the patch is not', async () => {
    const headers = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`x-${i}`, 'a']))
    const before = await created({ headers })
    const { status, body } = await api.ask('PATCH', `/v1/subscriptions/${before.id}`, { headers: { 'x-more': 'b' } })
    expect([status, body.code]).toEqual([422, 'invalid_header'])
  })

  test.each([{ state: 'active' }, { secret: 'whsec_x' }, { tenant: 'globex' }, { id: 'sub_1' }, { deleted_at: null }])(
    '422 when %j is to be changed',
    async (patch) => {
      const before = await created()
      const { status, body } = await api.ask('PATCH', `/v1/subscriptions/${before.id}`, patch)
      expect([status, body.code]).toEqual([422, 'invalid_request'])
    },
  )

  test('patches at the same moment are all kept', async () => {
    const before = await created()
    await Promise.all(
      Array.from({ length: 8 }, (_, i) =>
        api.ask('PATCH', `/v1/subscriptions/${before.id}`, { metadata: { [`k${i}`]: i } }),
      ),
    )
    const { body } = await api.ask('GET', `/v1/subscriptions/${before.id}`)
    expect(Object.keys(body.metadata)).toHaveLength(8)
  })
})

test('200 when a subscription is paused and resumed; deliveries are held meanwhile', async () => {
  const one = await created()
  const paused = await api.ask('POST', `/v1/subscriptions/${one.id}/pause`)
  expect([paused.status, paused.body.state]).toEqual([200, 'paused'])
  expect(paused.body.state_changed_at >= one.state_changed_at).toBe(true)
  const again = await api.ask('POST', `/v1/subscriptions/${one.id}/pause`, {})
  expect([again.status, again.body]).toEqual([200, paused.body])
  const resumed = await api.ask('POST', `/v1/subscriptions/${one.id}/resume`, { backfill: 'none' })
  expect([resumed.status, resumed.body.state]).toEqual([200, 'active'])
  const resumedAgain = await api.ask('POST', `/v1/subscriptions/${one.id}/resume`)
  expect(resumedAgain.body).toEqual(resumed.body)
})

test('pause, delete and resume each leave their job behind, in the same transaction', async () => {
  await using own = await startTestApi()
  const { body } = await own.ask('POST', path, draft)
  const jobs = async () => {
    const { rows } = await own.db.pool.query(
      `select name, data from pgboss.job where name in ('hold-deliveries', 'release-deliveries') order by created_on`,
    )
    return rows.map((row) => [row.name, row.data.backfill])
  }
  await own.ask('POST', `/v1/subscriptions/${body.id}/pause`)
  expect(await jobs()).toEqual([['hold-deliveries', undefined]])
  await own.ask('POST', `/v1/subscriptions/${body.id}/resume`)
  expect(await jobs()).toEqual([
    ['hold-deliveries', undefined],
    ['release-deliveries', 'held'],
  ])
})

test('409 when a disabled subscription is to be paused; resuming enables it', async () => {
  const one = await created()
  const row = await api.db.prisma.subscription.findFirstOrThrow({ orderBy: { id: 'desc' } })
  await api.db.prisma.subscription.update({
    where: { id: row.id },
    data: { state: 'disabled', disabledReason: 'gone', notBefore: new Date(Date.now() + 1e6) },
  })
  const { status, body } = await api.ask('POST', `/v1/subscriptions/${one.id}/pause`)
  expect([status, body.code]).toEqual([409, 'subscription_not_active'])
  const resumed = await api.ask('POST', `/v1/subscriptions/${one.id}/resume`)
  expect(resumed.body).toMatchObject({ state: 'active', disabled_reason: null, not_before: null })
})

test.each([
  ['pause', { backfill: 'held' }],
  ['resume', { backfill: 'some' }],
  ['resume', { reason: 'x' }],
])('422 when %s is asked with %j', async (action, body) => {
  const one = await created()
  const answer = await api.ask('POST', `/v1/subscriptions/${one.id}/${action}`, body)
  expect([answer.status, answer.body.code]).toEqual([422, 'invalid_request'])
})

test('204 when a subscription is deleted; it is not found any more, and wants no events', async () => {
  const one = await created({ event_types: ['invoice.paid'] })
  expect((await api.ask('DELETE', `/v1/subscriptions/${one.id}`)).status).toBe(204)
  const { body } = await api.ask('POST', '/v1/events', { tenant: 'acme', type: 'invoice.paid', data: 1 })
  expect(body.deliveries.map((delivery: { subscription_id: string }) => delivery.subscription_id)).not.toContain(one.id)
  const { text } = await api.ask('GET', '/v1/subscriptions?limit=250')
  expect(text).not.toContain(one.id)
  for (const [method, more] of [
    ['GET', ''],
    ['PATCH', ''],
    ['DELETE', ''],
    ['GET', '/secrets'],
    ['POST', '/pause'],
    ['POST', '/resume'],
  ] as const) {
    // biome-ignore format: one list
    const answer = await api.ask(method, `/v1/subscriptions/${one.id}${more}`, method === 'PATCH' ? {} : undefined)
    expect([method, more, answer.status, answer.body.code]).toEqual([method, more, 404, 'subscription_not_found'])
  }
})

test.each(['sub_00000000000000000000000000', 'evt_00000000000000000000000000', 'nonsense', "'; drop table", '%00'])(
  '404 when there is no subscription %s',
  async (id) => {
    const { status, body } = await api.ask('GET', `/v1/subscriptions/${encodeURIComponent(decodeURIComponent(id))}`)
    expect([status, body.code]).toEqual([404, 'subscription_not_found'])
  },
)

test('200 with the subscriptions of the tenants asked for, newest first and page by page', async () => {
  await using own = await startTestApi()
  await own.ask('PUT', '/v1/tenants/third', {})
  const made: string[] = []
  for (const tenant of ['acme', 'globex', 'acme', 'third']) {
    const { body } = await own.ask('POST', `/v1/tenants/${tenant}/subscriptions`, draft)
    made.unshift(body.id)
  }
  const all = await own.ask('GET', '/v1/subscriptions')
  expect(ids(all.body)).toEqual(made)
  const two = await own.ask('GET', '/v1/subscriptions?tenant=acme&tenant=third&limit=2')
  expect(ids(two.body)).toEqual([made[0], made[1]])
  const rest = await own.ask('GET', `/v1/subscriptions?tenant=acme&tenant=third&limit=2&cursor=${two.body.next_cursor}`)
  expect(ids(rest.body)).toEqual([made[3]])
  const oldest = await own.ask('GET', '/v1/subscriptions?order=asc')
  expect(ids(oldest.body)).toEqual([...made].reverse())
})

test('200 with the subscriptions in a state, and with those that want an event type, by whatever pattern', async () => {
  await using own = await startTestApi()
  const make = async (tenant: string, event_types: string[]) =>
    (await own.ask('POST', `/v1/tenants/${tenant}/subscriptions`, { ...draft, event_types })).body.id
  const invoices = await make('acme', ['invoice.*'])
  const paid = await make('acme', ['*.paid', 'order.placed'])
  const all = await make('globex', ['*'])
  const orders = await make('globex', ['order.placed', 'in_oice.paid'])
  await own.ask('POST', `/v1/subscriptions/${invoices}/pause`)
  const listed = async (query: string, as = 'admin') => {
    const { status, body } = await own.ask('GET', `/v1/subscriptions?order=asc&${query}`, undefined, { as })
    expect(status).toBe(200)
    return body.data.map(({ id }: { id: string }) => id)
  }
  expect(await listed('state=paused')).toEqual([invoices])
  expect(await listed('state=active&state=disabled')).toEqual([paid, all, orders])
  expect(await listed('event_type=invoice.paid')).toEqual([invoices, paid, all])
  expect(await listed('event_type=invoice.sent&event_type=order.placed')).toEqual([invoices, paid, all, orders])
  expect(await listed('event_type=invoice')).toEqual([all])
  expect(await listed('event_type=invoice.paid&tenant=acme&state=active')).toEqual([paid])
  expect(await listed('event_type=invoice.paid', 'tenant')).toEqual([invoices, paid])
  expect(await listed('event_type=invoice.paid&tenant=globex', 'tenant')).toEqual([])
  const paged = await own.ask('GET', '/v1/subscriptions?order=asc&event_type=invoice.paid&limit=2')
  expect(await listed(`event_type=invoice.paid&limit=2&cursor=${paged.body.next_cursor}`)).toEqual([all])
})

test('422 when the tenant has as many subscriptions as are allowed, also when many come at once', async () => {
  await using own = await startTestApi()
  const rows = Array.from({ length: limits.subscriptionsPerTenantMax - 2 }, (_, index) => ({
    id: `019ab0fa-0000-7000-8000-${String(index).padStart(12, '0')}`,
    tenantId: 'acme',
    url: callbackUrl,
    eventTypes: ['never'],
    shard: 0,
  }))
  await own.db.prisma.subscription.createMany({ data: rows })
  const answers = await Promise.all(Array.from({ length: 6 }, () => own.ask('POST', path, draft)))
  expect(answers.map(({ status }) => status).sort()).toEqual([201, 201, 422, 422, 422, 422])
  const refused = answers.find(({ status }) => status === 422)
  expect(refused?.body.code).toBe('limit_reached')
  const one = answers.find(({ status }) => status === 201)
  await own.ask('DELETE', `/v1/subscriptions/${one?.body.id}`)
  expect((await own.ask('POST', path, draft)).status).toBe(201)
})

function ids(page: { data: { id: string }[] }): string[] {
  return page.data.map(({ id }) => id)
}
