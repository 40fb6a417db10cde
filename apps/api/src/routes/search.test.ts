import { formatId, parseId, type SearchHit } from '@posthorn/contract'
import { withClient } from '@posthorn/engine/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { callbackUrl, startTestApi, type TestApi } from '../testing/api.ts'

const traceId = '0af7651916cd43dd8448eb211c80319c'
const traceparent = `00-${traceId}-b7ad6b7169203331-01`

let api: TestApi
/** Ids of things of each tenant. */
const of: Record<string, { event: string; delivery: string; attempt: string; subscription: string; replay: string }> =
  {}

beforeAll(async () => {
  api = await startTestApi()
  for (const tenant of ['acme', 'globex']) {
    const draft = { url: callbackUrl, event_types: ['*'] }
    const subscription = (await api.ask('POST', `/v1/tenants/${tenant}/subscriptions`, draft)).body.id
    const event = { tenant, type: 'invoice.paid', data: {}, id: 'pub-7', keys: { order: 'ord_42', invoice: 'in=1' } }
    const { body } = await api.ask('POST', '/v1/events', event, { headers: { traceparent } })
    const delivery = body.deliveries[0].id
    const id = parseId('delivery', delivery) ?? ''
    await api.db.prisma.attempt.create({
      data: {
        id, deliveryId: id, tenantId: tenant, eventId: parseId('event', body.id) ?? '', subscriptionId: parseId('subscription', subscription) ?? '',
        number: 1, trigger: 'automatic', startedAt: new Date(),
        httpStatus: 204, url: callbackUrl, requestHeaders: {}, responseHeaders: {},
        responseBody: Buffer.from(''), responseTruncated: false, waitMs: 0, totalMs: 1,
      },
    }) // biome-ignore format: one column after the other
    await api.db.prisma.replay.create({ data: { id, tenantId: tenant, filter: {}, actor: 'key_1', until: new Date() } })
    of[tenant] = {
      event: body.id,
      delivery,
      attempt: formatId('attempt', id),
      subscription,
      replay: formatId('replay', id),
    }
  }
})
afterAll(() => api[Symbol.asyncDispose]())

async function find(q: string, as = 'admin'): Promise<SearchHit[]> {
  const { status, body } = await api.ask('GET', `/v1/search?q=${encodeURIComponent(q)}`, undefined, { as })
  expect([status, body.has_more]).toEqual([200, false])
  return body.data
}

const idsOf = (hits: readonly SearchHit[]) => hits.map(({ id }) => id)

test('any id is told what it is, whose, and where it is read', async () => {
  for (const kind of ['event', 'delivery', 'attempt', 'subscription', 'replay'] as const) {
    const id = of['acme']?.[kind] ?? ''
    const [hit, ...more] = await find(` ${id.toUpperCase()} `)
    expect([hit, more]).toMatchObject([{ kind, id, tenant: 'acme', matched: 'id', key: null }, []])
    const paths = Object.values(hit?.links ?? {}).filter((path) => !path.includes('replay'))
    for (const path of paths) expect([path, (await api.ask('GET', path)).status]).toEqual([path, 200])
  }
  const { body } = await api.ask('GET', '/v1/api-keys?limit=1')
  expect(await find(body.data[0].id)).toMatchObject([
    { kind: 'api_key', tenant: 'acme', links: { self: '/v1/api-keys' } },
  ])
  expect(await find('acme')).toMatchObject([
    { kind: 'tenant', id: 'acme', tenant: 'acme', links: { self: '/v1/tenants/acme' } },
  ])
  expect(await find('invoice.paid')).toMatchObject([
    { kind: 'event_type', tenant: null, links: { self: '/v1/event-types/invoice.paid' } },
  ])
})

test('events are found by a business key, with and without its name, by the id of their publisher and by their trace', async () => {
  const both = [of['globex']?.event, of['acme']?.event]
  for (const [q, matched, key] of [
    ['ord_42', 'business_key', 'order'],
    ['order=ord_42', 'business_key', 'order'],
    ['in=1', 'business_key', 'invoice'],
    ['invoice=in=1', 'business_key', 'invoice'],
    [traceId, 'trace_id', null],
    [traceparent, 'trace_id', null],
    ['pub-7', 'publish_id', null],
  ] as const) {
    const hits = await find(q)
    expect([q, idsOf(hits)]).toEqual([q, both])
    expect(hits[0]).toMatchObject({ kind: 'event', tenant: 'globex', matched, key })
  }
})

/** Publishes under an idempotency key. */
async function publishUnder(key: string, given: { tenant?: string; id?: string } = {}, as = 'admin') {
  const event = { tenant: 'acme', type: 'invoice.paid', data: {}, ...given }
  return (await api.ask('POST', '/v1/events', event, { as, headers: { 'idempotency-key': key } })).body
}

test('an idempotency key is told what was asked for under it and what that published, in quotes as well', async () => {
  const { id } = await publishUnder('job-7')
  for (const q of ['job-7', '"job-7"', ' job-7\n']) {
    expect(await find(q)).toMatchObject([
      {
        kind: 'idempotency_key',
        id: 'job-7',
        tenant: null,
        matched: 'id',
        request: { operation: 'publishEvent', answered: true },
        links: { event: `/v1/events/${id}` },
      },
      { kind: 'event', id, tenant: 'acme', matched: 'idempotency_key', request: null },
    ])
  }
  for (const q of ['job', 'job-%', 'JOB-7', 'job-77']) expect([q, await find(q)]).toEqual([q, []])
})

test('an idempotency key finds an event with an id of its own too, new or known from before', async () => {
  const { id } = await publishUnder('job-8', { id: 'own-8' })
  await publishUnder('job-8-again', { id: 'own-8' })
  for (const q of ['job-8', 'job-8-again']) expect(idsOf(await find(q))).toEqual([q, id])
})

test('the key of a batch finds each event that was stored, and the key of something else what was asked for', async () => {
  const event = { tenant: 'acme', type: 'invoice.paid', data: {} }
  const events = [event, { ...event, type: 'never.seen' }, { ...event, tenant: 'globex' }]
  const headers = { 'idempotency-key': 'job-9' }
  const { body } = await api.ask('POST', '/v1/events/batch', { events }, { headers })
  const [request, ...found] = await find('job-9')
  expect(request).toMatchObject({ kind: 'idempotency_key', request: { operation: 'publishEvents' }, links: {} })
  // The newest first; of those of one millisecond chance decides.
  const stored = [body.results[0].event.id, body.results[2].event.id]
  expect(idsOf(found)).toEqual(stored.toSorted().toReversed())
  const draft = { url: callbackUrl, event_types: ['none.such'] }
  await api.ask('POST', '/v1/tenants/acme/subscriptions', draft, { headers: { 'idempotency-key': 'job-10' } })
  expect(await find('job-10')).toMatchObject([
    { request: { operation: 'createSubscription', answered: true }, links: {} },
  ])
})

test('a key of a tenant and its portal find by an idempotency key what is of their tenant, whoever asked', async () => {
  const portal = (
    await api.ask('POST', '/v1/tenants/acme/portal-sessions', { capabilities: ['events:read', 'deliveries:read'] })
  ).body.token
  const blind = (await api.ask('POST', '/v1/tenants/acme/portal-sessions', { capabilities: ['deliveries:read'] })).body
  const theirs = await publishUnder('job-11', { tenant: 'globex' })
  expect(idsOf(await find('job-11'))).toEqual(['job-11', theirs.id])
  const byOperator = await publishUnder('job-12')
  const own = await publishUnder('job-13', {}, 'tenant')
  const event = { tenant: 'acme', type: 'invoice.paid', data: {} }
  const headers = { 'idempotency-key': 'job-14' }
  const { results } = (
    await api.ask('POST', '/v1/events/batch', { events: [event, { ...event, tenant: 'globex' }] }, { headers })
  ).body
  for (const as of ['tenant', portal]) {
    expect(await find('job-11', as)).toEqual([])
    // The request was the operator's, the event is theirs.
    expect(idsOf(await find('job-12', as))).toEqual([byOperator.id])
    expect(await find('job-13', as)).toMatchObject([{ kind: 'idempotency_key', tenant: 'acme' }, { id: own.id }])
    expect(idsOf(await find('job-14', as))).toEqual([results[0].event.id])
  }
  expect(await find('job-13', blind.token)).toEqual([])
})

test('the same key of two credentials finds the requests of both', async () => {
  const [mine, theirs] = [await publishUnder('job-15'), await publishUnder('job-15', {}, 'tenant')]
  const hits = await find('job-15')
  expect(
    hits
      .slice(0, 2)
      .map(({ kind, tenant }) => `${kind} of ${tenant}`)
      .toSorted(),
  ).toEqual(['idempotency_key of acme', 'idempotency_key of null'])
  expect(idsOf(hits.slice(2))).toEqual([theirs.id, mine.id])
})

test('when the process died between its commit and its answer the event is found, and that nobody had the answer', async () => {
  const { id } = await publishUnder('job-16')
  const where = { key: 'job-16' }
  await api.db.prisma.idempotencyKey.updateMany({ where, data: { sealedAnswer: null, heldUntil: new Date(0) } })
  await withClient(api.url, (client) =>
    client.query("update idempotency_key set event_ids = null where key = 'job-16'"),
  )
  for (const as of ['admin', 'tenant']) {
    const hits = await find('job-16', as)
    expect(idsOf(hits.filter(({ kind }) => kind === 'event'))).toEqual([id])
  }
  expect((await find('job-16'))[0]).toMatchObject({
    request: { answered: false },
    links: { event: `/v1/events/${id}` },
  })
  await publishUnder('job-16')
  expect((await find('job-16'))[0]).toMatchObject({ request: { answered: true }, links: { event: `/v1/events/${id}` } })
})

test('an idempotency key finds nothing after a day, after a refusal, and of an event nothing after its erasure', async () => {
  await publishUnder('job-17')
  const yesterday = new Date(Date.now() - 24 * 3_600_000 - 1_000)
  await api.db.prisma.idempotencyKey.updateMany({ where: { key: 'job-17' }, data: { begunAt: yesterday } })
  expect(await find('job-17')).toEqual([])
  await api.ask('POST', '/v1/events', { tenant: 'acme' }, { headers: { 'idempotency-key': 'job-18' } })
  expect(await find('job-18')).toEqual([])
  const { id } = await publishUnder('job-19')
  await api.db.prisma.event.updateMany({ where: { id: parseId('event', id) ?? '' }, data: { erasedAt: new Date() } })
  expect(await find('job-19')).toMatchObject([{ kind: 'idempotency_key', links: {} }])
})

test('a request that an older Posthorn began under the key is told without what it was', async () => {
  await publishUnder('job-20')
  await api.db.prisma.idempotencyKey.updateMany({ where: { key: 'job-20' }, data: { operation: null, eventIds: [] } })
  expect(await find('job-20')).toMatchObject([{ request: { operation: null, answered: true }, links: {} }])
})

test('what is only a part of something finds nothing, nor does what means something to a database', async () => {
  for (const q of [
    'ord_4',
    'customer=ord_42',
    'evt_',
    'pub-%',
    '%',
    "' or 1=1 --",
    'ord\\_42',
    '=',
    'order=',
    '*',
    '00-00-00',
    '  ',
  ]) {
    expect([q, await find(q)]).toEqual([q, []])
  }
})

test('a key of a tenant finds what is of its own tenant, and nothing of others in whatever way', async () => {
  const [own, theirs] = [of['acme'], of['globex']]
  for (const id of Object.values(theirs ?? {})) expect(await find(id, 'tenant')).toEqual([])
  expect(await find('globex', 'tenant')).toEqual([])
  for (const q of ['ord_42', 'order=ord_42', 'in=1', 'pub-7', traceId, traceparent]) {
    expect(idsOf(await find(q, 'tenant'))).toEqual([own?.event])
  }
  for (const id of Object.values(own ?? {})) expect(idsOf(await find(id, 'tenant'))).toEqual([id])
  const { body } = await api.ask('GET', '/v1/api-keys?limit=1')
  expect(await find(body.data[0].id, 'tenant')).toEqual([])
})

test('a key finds only what its role may read', async () => {
  const { event = '', delivery = '', subscription = '' } = of['acme'] ?? {}
  expect(idsOf(await find(event, 'publisher'))).toEqual([event])
  expect([
    await find(delivery, 'publisher'),
    await find(subscription, 'publisher'),
    await find('acme', 'publisher'),
  ]).toEqual([[], [], []])
})

test('of a value that many events have the newest are told, of several tenants and names, and that there are more', async () => {
  const events = Array.from({ length: 60 }, (_, index) => ({
    tenant: index % 2 === 0 ? 'acme' : 'globex',
    type: 'invoice.paid',
    data: {},
    keys: { [`name-${index % 3}`]: 'common' },
  }))
  const { body } = await api.ask('POST', '/v1/events/batch', { events })
  const published = body.results.map((result: { event: { id: string } }) => result.event.id)
  const found = await api.ask('GET', '/v1/search?q=common')
  expect([found.body.data.length, found.body.has_more]).toEqual([50, true])
  expect(idsOf(found.body.data)).toEqual(published.toSorted().toReversed().slice(0, 50))
  const own = await api.ask('GET', '/v1/search?q=name-0%3Dcommon', undefined, { as: 'tenant' })
  expect(own.body.data).toHaveLength(10)
})

test.each(['', '?q=', `?q=${'x'.repeat(322)}`, '?q=%00', '?q=a&q=b', '?q=a&kind=event'])(
  '422 for a search with "%s"',
  async (query) => {
    const { status, body } = await api.ask('GET', `/v1/search${query}`)
    expect([status, body.code]).toEqual([422, 'invalid_request'])
  },
)

test('401 for a search without a key', async () => {
  expect((await api.ask('GET', '/v1/search?q=acme', undefined, { as: null })).status).toBe(401)
})

test('every look-up of a search walks an index', async () => {
  const asked: { text: string; values: unknown[] }[] = []
  const { pool } = api.db
  const query = pool.query.bind(pool)
  Object.assign(pool, {
    query: (given: { text: string; values: unknown[] }) => {
      if (/event_key|event_publish_id|traceparent|idempotency_key/.test(given.text)) asked.push(given)
      return query(given)
    },
  })
  await find(traceId)
  await find('order=ord_42', 'tenant')
  await find('job-14', 'tenant')
  Object.assign(pool, { query })
  expect(asked.length).toBeGreaterThanOrEqual(8)
  const client = await pool.connect()
  // Small tables are read as a whole whatever indexes they have; this shows whether one fits.
  await client.query('set enable_seqscan = off')
  for (const { text, values } of asked) {
    const { rows } = await client.query(`explain (format json) ${text}`, values)
    expect(JSON.stringify(rows[0]['QUERY PLAN'])).not.toContain('"Seq Scan"')
  }
  client.release(true)
})
