import { limits, parseId } from '@posthorn/contract'
import { expireOldDrafts } from '@posthorn/engine'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { callbackUrl, startTestApi, type TestApi } from '../testing/api.ts'

let api: TestApi
const subscriptions: Record<string, string> = {}
beforeAll(async () => {
  api = await startTestApi()
  await api.ask('PUT', '/v1/event-types/order.placed', {})
  for (const tenant of ['acme', 'globex']) {
    const draft = { url: callbackUrl, event_types: ['*'], rate_limit_per_second: 2 }
    const { body } = await api.ask('POST', `/v1/tenants/${tenant}/subscriptions`, draft)
    subscriptions[tenant] = body.id
  }
})
afterAll(() => api[Symbol.asyncDispose]())

/** Publishes an event and brings its delivery to an end, as a dispatcher would. */
async function failed(tenant: string, keys: Record<string, string>, failureCode = 'http_5xx'): Promise<string> {
  const { body } = await api.ask('POST', '/v1/events', { tenant, type: 'order.placed', data: 1, keys })
  const [delivery] = body.deliveries
  const id = parseId('delivery', delivery.id) ?? ''
  await api.db.prisma.backlog.delete({ where: { deliveryId: id } })
  await api.db.prisma.delivery.update({
    where: { id },
    data: { state: 'failed', lastFailureCode: failureCode, lastHttpStatus: 503, finishedAt: new Date() },
  })
  return delivery.id
}

async function draft(filter: object, more: object = {}, as: string = 'admin') {
  const { status, body } = await api.ask('POST', '/v1/replays', { filter, ...more }, { as })
  expect([status, body.errors]).toEqual([201, undefined])
  return body
}

describe('a draft', () => {
  test('201 with what would be sent, by subscription and by cause, what is left out, and the times it is fixed to', async () => {
    const deliveries = [
      await failed('acme', { batch: 'a' }),
      await failed('acme', { batch: 'a' }, 'connect_refused'),
      await failed('globex', { batch: 'a' }),
    ]
    await api.ask('POST', '/v1/events', { tenant: 'acme', type: 'order.placed', data: 1, keys: { batch: 'a' } })
    const filter = { event_type: ['order.*'], 'key.batch': 'a', since: '24h' }
    const before = Date.now()
    const answer = await api.ask('POST', '/v1/replays', { filter, rate_per_second: 1, note: 'ticket 4711' })
    const { status, body, headers } = answer
    expect([status, headers['location']]).toEqual([201, `/v1/replays/${body.id}`])
    expect(body).toEqual({
      id: expect.stringMatching(/^rpl_/),
      tenant: null,
      state: 'draft',
      filter,
      only: 'failed',
      since: expect.any(String),
      until: expect.any(String),
      rate_per_second: 1,
      note: 'ticket 4711',
      target_url: null,
      target_secret: null,
      actor: expect.stringMatching(/^key_/),
      created_at: expect.any(String),
      expires_at: expect.any(String),
      started_at: null,
      finished_at: null,
      preview: {
        count: 3,
        tenant_count: 2,
        subscription_count: 2,
        by_subscription: [
          { subscription_id: subscriptions['acme'], tenant: 'acme', count: 2 },
          { subscription_id: subscriptions['globex'], tenant: 'globex', count: 1 },
        ],
        by_cause: [
          { failure_code: 'http_5xx', count: 2 },
          { failure_code: 'connect_refused', count: 1 },
        ],
        left_out: [{ reason: 'pending', count: 1 }],
        left_out_has_more: false,
        estimated_seconds: 3,
      },
      progress: {
        waiting: 3,
        under_way: 0,
        delivered: 0,
        failed: 0,
        skipped: 0,
        canceled: 0,
        by_cause: [],
        by_skip_reason: [],
      },
    })
    expect(Date.parse(body.expires_at) - Date.parse(body.created_at)).toBe(limits.replayDraftHours * 3_600_000)
    expect(Date.parse(body.until)).toBeGreaterThanOrEqual(before)
    expect(Date.parse(body.until) - Date.parse(body.since)).toBe(24 * 3_600_000)
    const items = (await api.ask('GET', `/v1/replays/${body.id}/items`)).body
    expect(items.data.map((item: { delivery_id: string }) => item.delivery_id)).toEqual(deliveries.toReversed())
    expect(items.data[0]).toEqual({
      delivery_id: deliveries[2],
      tenant: 'globex',
      subscription_id: subscriptions['globex'],
      event_id: expect.stringMatching(/^evt_/),
      event_type: 'order.placed',
      delivery_state: 'failed',
      outcome: 'waiting',
      skip_reason: null,
      attempt_id: null,
      failure_code: null,
      http_status: null,
      started_at: null,
      finished_at: null,
    })
    const pages = await api.ask('GET', `/v1/replays/${body.id}/items?limit=2&outcome=waiting`)
    const next = await api.ask(
      'GET',
      `/v1/replays/${body.id}/items?limit=2&outcome=waiting&cursor=${pages.body.next_cursor}`,
    )
    expect([pages.body.data.length, next.body.data.length, next.body.next_cursor]).toEqual([2, 1, null])
    expect((await api.ask('GET', `/v1/replays/${body.id}/items?outcome=failed`)).body.data).toEqual([])
  })

  test('is fixed: what fails after it is not part of it, and what is published later neither', async () => {
    await failed('acme', { batch: 'fixed' })
    const replay = await draft({ 'key.batch': ['fixed'] })
    await failed('acme', { batch: 'fixed' })
    const read = await api.ask('GET', `/v1/replays/${replay.id}`)
    expect([read.body.preview.count, read.body.progress.waiting]).toEqual([1, 1])
    expect((await draft({ 'key.batch': 'fixed', until: '2999-01-01T00:00:00Z' })).preview.count).toBe(2)
    expect((await draft({ 'key.batch': 'fixed', until: '1h' })).preview.count).toBe(0)
  })

  test.each([
    [{}, ''],
    [{ filter: [] }, '/filter'],
    [{ filter: { colour: 'red' } }, '/filter/colour'],
    [{ filter: { state: 'lost' } }, '/filter/state'],
    [{ filter: { state: [] } }, '/filter/state'],
    [{ filter: { tenant: 5 } }, '/filter/tenant'],
    [{ filter: { event_type: 'order.%' } }, '/filter/event_type'],
    [{ filter: { since: 'yesterday' } }, '/filter/since'],
    [{ filter: { until: '2026-02-31T00:00:00Z' } }, '/filter/until'],
    [{ filter: { 'key.': 'x' } }, '/filter/key.'],
    [{ filter: { 'key.order': { $ne: '' } } }, '/filter/key.order'],
    [{ filter: {}, only: 'some' }, '/only'],
    [{ filter: {}, rate_per_second: 0 }, '/rate_per_second'],
    [{ filter: {}, rate_per_second: limits.replayRatePerSecondMax + 1 }, '/rate_per_second'],
    [{ filter: {}, note: 'x\u0000' }, '/note'],
    [{ filter: {}, state: 'running' }, '/state'],
  ])('422 naming the place of what is no replay: %j', async (body, pointer) => {
    const answer = await api.ask('POST', '/v1/replays', body)
    expect([answer.status, answer.body.code]).toEqual([422, 'invalid_request'])
    expect(answer.body.errors.map((place: { pointer: string }) => place.pointer)).toEqual(
      expect.arrayContaining([expect.stringContaining(pointer)]),
    )
  })
})

describe('a replay to another URL', () => {
  test('201 with its own secret, which is shown this once', async () => {
    const target_url = `${callbackUrl}/staging`
    const made = await draft({ 'key.batch': 'none' }, { target_url })
    expect(made).toMatchObject({ target_url, target_secret: expect.stringMatching(/^whsec_/) })
    const read = await api.ask('GET', `/v1/replays/${made.id}`)
    expect([read.body.target_url, read.text.includes('whsec_')]).toEqual([target_url, false])
    expect((await api.ask('GET', '/v1/replays')).text).not.toContain('whsec_')
  })

  test('403 for whoever may not read payloads: whoever chooses the receiver reads them', async () => {
    const body = { filter: {}, target_url: callbackUrl }
    const answer = await api.ask('POST', '/v1/replays', body, { as: 'support' })
    expect([answer.status, answer.body.code]).toEqual([403, 'forbidden'])
  })

  test.each([
    'http://93.184.215.14/',
    'https://127.0.0.1:9000/',
    'https://u:p@93.184.215.14/',
    'https://nobody.invalid/',
    'x',
  ])('422 for a URL that no subscription could have either: %s', async (target_url) => {
    const { status, body } = await api.ask('POST', '/v1/replays', { filter: {}, target_url })
    expect([status, body.code, body.errors[0].pointer]).toEqual([422, 'invalid_url', '/target_url'])
  })
})

describe('what may be done with a replay', () => {
  test('200 with its new state; 409 where that does not allow it, saying which one it is in', async () => {
    await failed('acme', { batch: 'moves' })
    const { id } = await draft({ 'key.batch': 'moves' })
    const ask = async (move: string) => {
      const { status, body } = await api.ask('POST', `/v1/replays/${id}/${move}`, undefined, { as: 'support' })
      return [status, body.state ?? body.code]
    }
    expect(await ask('pause')).toEqual([409, 'replay_state_conflict'])
    expect(await ask('resume')).toEqual([409, 'replay_state_conflict'])
    expect(await ask('run')).toEqual([200, 'running'])
    expect((await api.ask('GET', `/v1/replays/${id}`)).body.expires_at).toBeNull()
    expect(await ask('run')).toEqual([409, 'replay_state_conflict'])
    expect(await ask('pause')).toEqual([200, 'paused'])
    expect(await ask('resume')).toEqual([200, 'running'])
    const patched = await api.ask('PATCH', `/v1/replays/${id}`, { rate_per_second: 7, note: 'slower' })
    expect([patched.status, patched.body.rate_per_second, patched.body.note]).toEqual([200, 7, 'slower'])
    const cleared = await api.ask('PATCH', `/v1/replays/${id}`, { rate_per_second: null })
    expect([cleared.body.rate_per_second, cleared.body.note]).toEqual([null, 'slower'])
    expect(await ask('cancel')).toEqual([200, 'canceled'])
    expect(await ask('cancel')).toEqual([409, 'replay_state_conflict'])
    const late = await api.ask('PATCH', `/v1/replays/${id}`, { rate_per_second: 7 })
    expect([late.status, late.body.code]).toEqual([409, 'replay_state_conflict'])
    expect((await api.ask('GET', `/v1/replays/${id}`)).body).toMatchObject({
      progress: { waiting: 0, canceled: 1 },
      finished_at: expect.any(String),
    })
    expect((await api.ask('POST', `/v1/replays/${id}/run`, { now: true })).status).toBe(422)
  })

  test('409 for a draft whose time is over, which says so, and its preview stays to be read', async () => {
    await failed('acme', { batch: 'late' })
    const { id } = await draft({ 'key.batch': 'late' })
    const uuid = parseId('replay', id) ?? ''
    await api.db.prisma.replay.update({ where: { id: uuid }, data: { expiresAt: new Date(Date.now() - 1_000) } })
    const run = () => api.ask('POST', `/v1/replays/${id}/run`, undefined, { as: 'support' })
    const before = await run()
    expect([before.status, before.body.code]).toEqual([409, 'replay_expired'])
    expect(before.body.detail).toContain('Draft a new one with the same filter')
    expect(await expireOldDrafts(api.db)).toBe(1)
    const after = await run()
    expect([after.status, after.body.code]).toEqual([409, 'replay_expired'])
    const patched = await api.ask('PATCH', `/v1/replays/${id}`, { note: 'late' })
    expect([patched.status, patched.body.code]).toEqual([409, 'replay_state_conflict'])
    expect((await api.ask('GET', '/v1/replays?state=expired')).body.data).toMatchObject([
      { id, state: 'expired', preview: { count: 1 }, progress: { waiting: 0 }, expires_at: null, started_at: null },
    ])
    expect((await api.ask('GET', `/v1/replays/${id}/items`)).body.data).toEqual([])
    expect((await api.ask('GET', `/v1/replays/${id}`)).body.finished_at).toEqual(expect.any(String))
  })

  test('200 with the replays, newest first, of the states asked for', async () => {
    const { id } = await draft({ 'key.batch': 'listed' })
    await api.ask('POST', `/v1/replays/${id}/cancel`)
    const found = (await api.ask('GET', '/v1/replays?state=canceled&limit=1', undefined, { as: 'viewer' })).body
    expect(found.data).toMatchObject([{ id, state: 'canceled', preview: { count: 0 } }])
    const drafts = (await api.ask('GET', '/v1/replays?state=draft')).body.data
    expect(drafts.map((one: { state: string }) => one.state)).not.toContain('canceled')
    expect((await api.ask('GET', '/v1/replays?state=lost')).status).toBe(422)
  })
})

test('replays are listed of a tenant that made them, or that their filter names', async () => {
  await using own = await startTestApi()
  const ask = async (filter: object, as = 'admin') => (await own.ask('POST', '/v1/replays', { filter }, { as })).body.id
  const made = [
    await ask({ tenant: 'acme' }),
    await ask({ tenant: ['globex', 'acme'] }),
    await ask({ since: '1h' }, 'tenant'),
  ]
  const globexs = await ask({ tenant: 'globex' })
  await ask({ since: '1h' })
  const listed = async (query: string, as = 'admin') =>
    (await own.ask('GET', `/v1/replays?${query}&order=asc`, undefined, { as })).body.data.map(
      ({ id }: { id: string }) => id,
    )
  expect(await listed('tenant=acme')).toEqual(made)
  expect(await listed('tenant=acme&state=running')).toEqual([])
  expect(await listed('tenant=globex')).toEqual([made[1], globexs])
  expect(await listed('tenant=nobody')).toEqual([])
  expect(await listed('tenant=acme', 'tenant')).toEqual([made[2]])
  expect(await listed('tenant=globex', 'tenant')).toEqual([])
})

describe('a tenant', () => {
  test('replays its own deliveries only, whatever tenants its filter names', async () => {
    await failed('acme', { batch: 'own' })
    await failed('globex', { batch: 'own' })
    const own = await draft({ 'key.batch': 'own' }, {}, 'tenant')
    expect([own.tenant, own.preview.count]).toEqual(['acme', 1])
    expect((await draft({ 'key.batch': 'own', tenant: ['globex', 'acme'] }, {}, 'tenant')).preview.count).toBe(1)
    expect((await draft({ 'key.batch': 'own', tenant: 'globex' }, {}, 'tenant')).preview.count).toBe(0)
    expect((await draft({ subscription: subscriptions['globex'] }, {}, 'tenant')).preview.count).toBe(0)
    const operators = await draft({ 'key.batch': 'own' })
    expect(operators.preview.count).toBe(2)
    expect((await draft({ replay: operators.id }, {}, 'tenant')).preview.count).toBe(0)
    const seen = (await api.ask('GET', '/v1/replays', undefined, { as: 'tenant' })).body.data
    expect(new Set(seen.map((one: { tenant: string }) => one.tenant))).toEqual(new Set(['acme']))
    const run = await api.ask('POST', `/v1/replays/${own.id}/run`, undefined, { as: 'tenant' })
    expect([run.status, run.body.state]).toEqual([200, 'running'])
    await api.ask('POST', `/v1/replays/${own.id}/cancel`)
  })

  test('404 for a replay that it did not make, as for one that does not exist', async () => {
    const { id } = await draft({ tenant: 'acme' })
    for (const [which, as] of [
      [id, 'tenant'],
      ['rpl_00000000000000000000000000', 'admin'],
      ['rpl_zzzz', 'admin'],
    ] as const) {
      for (const [method, more] of [
        ['GET', ''],
        ['GET', '/items'],
        ['PATCH', ''],
        ['POST', '/run'],
        ['POST', '/pause'],
        ['POST', '/resume'],
        ['POST', '/cancel'],
      ] as const) {
        const body = method === 'PATCH' ? { note: 'x' } : undefined
        const answer = await api.ask(method, `/v1/replays/${which}${more}`, body, { as })
        expect([answer.status, answer.body.code]).toEqual([404, 'replay_not_found'])
      }
    }
    expect((await api.ask('GET', `/v1/replays/${id}`)).body.state).toBe('draft')
  })
})
