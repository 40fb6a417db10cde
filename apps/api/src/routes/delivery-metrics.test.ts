import { randomBytes } from 'node:crypto'
import { attemptTriggers, failureCodes, formatId, uuidV7 } from '@posthorn/contract'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { startTestApi, type TestApi } from '../testing/api.ts'

/** Twelve minutes past an hour: minutes are kept 48 whole hours back. */
const nowMs = Date.UTC(2026, 10, 23, 14, 12, 30)
const hourMs = 3_600_000
const [sub1, sub2, sub3] = [newId(), newId(), newId()]

let api: TestApi
beforeAll(async () => {
  api = await startTestApi({ world: { now: () => nowMs, randomBytes: (count) => randomBytes(count) } })
})
beforeEach(async () => {
  await api.db.pool.query('truncate attempt_minute, attempt_minute_kept, attempt_hour')
})
afterAll(() => api[Symbol.asyncDispose]())

function newId(): string {
  return uuidV7(nowMs, randomBytes(10))
}

type Rollup = Parameters<typeof api.db.prisma.attemptMinute.create>[0]['data']

/** A rollup: ten accepted attempts of acme that took 20 to 50 ms and waited 1 to 2 ms, unless told otherwise. */
function rollup(minutesAgo: number, over: Partial<Rollup> = {}): Rollup {
  const at = new Date(Math.floor((nowMs - minutesAgo * 60_000) / 60_000) * 60_000)
  return {
    startsAt: at,
    tenantId: 'acme',
    subscriptionId: sub1,
    eventType: 'invoice.paid',
    trigger: 'automatic',
    failureCode: '',
    host: 'hooks.acme.example',
    attempts: 10,
    ended: 10,
    entered: 0,
    firstAt: at,
    lastAt: at,
    deliveryId: newId(),
    waits: bucket(1, 10),
    times: bucket(5, 10),
    ...over,
  }
}

function bucket(index: number, count: number): number[] {
  return Array.from({ length: 18 }, (_, at) => (at === index ? count : 0))
}

async function keep(...rows: Rollup[]): Promise<void> {
  await api.db.prisma.attemptMinute.createMany({ data: rows })
}

async function metrics(query: string, as = 'admin') {
  const { status, body } = await api.ask('GET', `/v1/metrics/deliveries?${query}`, undefined, { as })
  expect([status, body]).toEqual([200, expect.anything()])
  return body
}

test('deliveries of the last day are counted when nothing is said, with the time of the receiver', async () => {
  await keep(
    rollup(3),
    rollup(2, { failureCode: 'http_5xx', attempts: 30, ended: 2, times: bucket(9, 30) }),
    rollup(25 * 60),
  )
  expect(await metrics('')).toEqual({
    since: '2026-11-22T14:12:00.000Z',
    until: '2026-11-23T14:13:00.000Z',
    interval: null,
    group_by: null,
    data: [{ starts_at: null, group: null, count: 12, success_rate: 10 / 12, latency_p50: 666.7, latency_p95: 966.7 }],
    has_more: false,
  })
})

test('nothing at all is told as nought, and as no rate and no time', async () => {
  const all =
    'count,success_rate,delivered,exhausted,attempts,failures,latency_p50,latency_p95,latency_p99,wait_p50,wait_p95,wait_p99'
  const { data } = await metrics(`measures=${all}`)
  const [nought, none] = [0, null]
  expect(data).toEqual([
    {
      starts_at: null, group: null, count: nought, success_rate: none, delivered: nought, exhausted: nought, attempts: nought,
      failures: nought, latency_p50: none, latency_p95: none, latency_p99: none, wait_p50: none, wait_p95: none, wait_p99: none,
    },
  ]) // biome-ignore format: numbers, then times
  expect((await metrics('interval=1h')).data).toEqual([])
})

test('each interval has its own row, and each group too; minutes and hours add up', async () => {
  await keep(
    rollup(14, { eventType: 'invoice.paid' }),
    rollup(11, { eventType: 'invoice.paid' }),
    rollup(11, { eventType: 'order.made', subscriptionId: sub2, attempts: 4, ended: 4 }),
  )
  await api.db.prisma.attemptHour.create({
    data: rollup(0, { startsAt: new Date(Date.UTC(2026, 10, 20, 9)), attempts: 7, ended: 7, eventType: 'order.made' }),
  })
  expect((await metrics('interval=1h&group_by=event_type&measures=attempts&since=7d')).data).toEqual([
    { starts_at: '2026-11-20T09:00:00.000Z', group: 'order.made', attempts: 7 },
    { starts_at: '2026-11-23T13:00:00.000Z', group: 'invoice.paid', attempts: 10 },
    { starts_at: '2026-11-23T14:00:00.000Z', group: 'invoice.paid', attempts: 10 },
    { starts_at: '2026-11-23T14:00:00.000Z', group: 'order.made', attempts: 4 },
  ])
  expect((await metrics('interval=5m&measures=attempts')).data).toEqual([
    { starts_at: '2026-11-23T13:55:00.000Z', group: null, attempts: 10 },
    { starts_at: '2026-11-23T14:00:00.000Z', group: null, attempts: 14 },
  ])
  expect((await metrics('group_by=subscription&measures=attempts')).data).toEqual([
    { starts_at: null, group: formatId('subscription', sub1), attempts: 20 },
    { starts_at: null, group: formatId('subscription', sub2), attempts: 4 },
  ])
})

test('a time that begins and ends within hours that are rolled up counts their minutes once, and those that came late', async () => {
  const at = (hour: number, minute: number) => new Date(Date.UTC(2026, 10, 23, hour, minute))
  // Each minute has an amount of its own, so that a sum tells which of them are in it.
  const minutes = [at(10, 20), at(10, 40), at(11, 5), at(12, 10), at(12, 50)]
  const rows = minutes.map((startsAt, index) => rollup(0, { startsAt, attempts: 2 ** index }))
  await api.db.prisma.attemptMinuteKept.createMany({ data: rows })
  await api.db.prisma.attemptHour.createMany({
    data: [
      rollup(0, { startsAt: at(10, 0), attempts: 3 }),
      rollup(0, { startsAt: at(11, 0), attempts: 4 }),
      rollup(0, { startsAt: at(12, 0), attempts: 24 }),
    ],
  })
  // In no hour yet: it came late, and the present hour goes on.
  await keep(rollup(0, { startsAt: at(11, 30), attempts: 32 }), rollup(0, { startsAt: at(14, 0), attempts: 64 }))
  const attempts = async (since: string, until: string) =>
    (await metrics(`measures=attempts&since=2026-11-23T${since}Z&until=2026-11-23T${until}Z`)).data[0].attempts
  expect(await attempts('10:00:00', '15:00:00')).toBe(127)
  expect(await attempts('10:30:00', '12:30:00')).toBe(2 + 4 + 32 + 8)
  expect(await attempts('10:30:00', '11:00:00')).toBe(2)
  expect(await attempts('10:10:00', '10:30:00')).toBe(1)
  expect(await attempts('11:00:00', '12:00:00')).toBe(4 + 32)
  expect(await attempts('10:40:01', '12:00:00')).toBe(2 + 4 + 32)
  expect(await attempts('12:50:00', '13:00:00')).toBe(16)
  expect(await attempts('12:51:00', '13:00:00')).toBe(0)
  const { data } = await metrics('measures=attempts&since=2026-11-23T10:30:00Z&until=2026-11-23T12:30:00Z&interval=5m')
  expect(
    data.map((row: { starts_at: string; attempts: number }) => [row.starts_at.slice(11, 16), row.attempts]),
  ).toEqual([
    ['10:40', 2],
    ['11:05', 4],
    ['11:30', 32],
    ['12:10', 8],
  ])
  const hourly = await metrics('measures=attempts&since=2026-11-23T10:30:00Z&until=2026-11-23T12:30:00Z&interval=1h')
  expect(hourly.data.map((row: { attempts: number }) => row.attempts)).toEqual([2, 36, 8])
})

test('the filters of the grammar hold, and different ones together', async () => {
  await keep(
    rollup(1, { attempts: 1 }),
    rollup(1, { attempts: 2, tenantId: 'globex' }),
    rollup(1, { attempts: 4, subscriptionId: sub2 }),
    rollup(1, { attempts: 8, eventType: 'order.made' }),
    rollup(1, { attempts: 16, failureCode: 'http_5xx' }),
    rollup(1, { attempts: 32, trigger: 'resend' }),
    rollup(90, { attempts: 64 }),
  )
  const attempts = async (query: string) => (await metrics(`measures=attempts&${query}`)).data[0].attempts
  expect(await attempts('')).toBe(127)
  expect(await attempts('tenant=globex')).toBe(2)
  expect(await attempts('tenant=globex&tenant=acme')).toBe(127)
  expect(await attempts(`subscription=${formatId('subscription', sub2)}`)).toBe(4)
  expect(await attempts('event_type=order.*')).toBe(8)
  expect(await attempts('failure_code=http_5xx&failure_code=http_4xx')).toBe(16)
  expect(await attempts('trigger=resend')).toBe(32)
  expect(await attempts('until=1h')).toBe(64)
  expect(await attempts('since=1h&trigger=automatic&tenant=acme')).toBe(29)
  expect(await attempts('since=2099-01-01T00:00:00Z')).toBe(0)
})

test('a key of a tenant counts its own tenant alone, whatever it asks for', async () => {
  await keep(
    rollup(1, { attempts: 3 }),
    rollup(1, { attempts: 5, tenantId: 'globex', failureCode: 'http_5xx', subscriptionId: sub3 }),
  )
  const of = async (query: string) => (await metrics(`measures=attempts&${query}`, 'tenant')).data
  expect(await of('')).toEqual([{ starts_at: null, group: null, attempts: 3 }])
  expect(await of('group_by=tenant')).toEqual([{ starts_at: null, group: 'acme', attempts: 3 }])
  expect(await of('tenant=globex&tenant=acme')).toMatchObject([{ attempts: 3 }])
  expect(await of('tenant=globex')).toMatchObject([{ attempts: 0 }])
  expect(await of(`subscription=${formatId('subscription', sub3)}`)).toMatchObject([{ attempts: 0 }])
  const { body } = await api.ask('GET', '/v1/metrics/causes', undefined, { as: 'tenant' })
  expect(body.data).toEqual([])
})

test('failures are grouped by their cause across tenants, with who is concerned', async () => {
  const deliveryId = newId()
  const failed = (over: Partial<Rollup>) =>
    rollup(9, { failureCode: 'tls_expired', host: 'shared.example', ended: 1, entered: 6, ...over })
  await keep(
    failed({}),
    failed({ tenantId: 'globex', subscriptionId: sub2 }),
    failed({ ...pick(rollup(2)), tenantId: 'globex', subscriptionId: sub2, deliveryId, attempts: 5, entered: 0 }),
    failed({ host: 'other.example', attempts: 1 }),
    rollup(5, { failureCode: 'internal_error', attempts: 2, host: 'other.example', ended: 0 }),
    rollup(5),
    // Counted as aborted, and found out to be something else since.
    rollup(5, { failureCode: 'aborted', attempts: 0, ended: 0, deliveryId: null, firstAt: null, lastAt: null }),
  )
  const { body } = await api.ask('GET', '/v1/metrics/causes')
  expect(body.data.map((cause: { failures: number }) => cause.failures)).toEqual([25, 2, 1])
  expect(body.data[0]).toMatchObject({
    failure_code: 'tls_expired',
    host: 'shared.example',
    our_fault: false,
    new_deliveries: 12,
    exhausted_deliveries: 3,
    subscriptions: 2,
    tenants: 2,
    first_seen_at: '2026-11-23T14:03:00.000Z',
    last_seen_at: '2026-11-23T14:10:00.000Z',
    examples: {
      subscriptions: [formatId('subscription', sub2), formatId('subscription', sub1)],
      tenants: ['acme', 'globex'],
    },
  })
  expect(body.data[0].examples.deliveries[0]).toBe(formatId('delivery', deliveryId))
  expect(body.data[1]).toMatchObject({ failure_code: 'internal_error', our_fault: true })
  const one = await api.ask('GET', '/v1/metrics/causes?failure_code=tls_expired&tenant=acme&event_type=invoice.*')
  expect(one.body.data).toMatchObject([
    { host: 'shared.example', failures: 10 },
    { host: 'other.example', failures: 1 },
  ])
})

function pick({ startsAt, firstAt, lastAt }: Rollup): Partial<Rollup> {
  return { startsAt, firstAt: firstAt ?? null, lastAt: lastAt ?? null }
}

test('of more groups than are told, those with the most attempts are, and it says that there are more', async () => {
  await keep(
    ...Array.from({ length: 103 }, (_, index) => rollup(1, { eventType: `type.n${index}`, attempts: 1 + index })),
  )
  const { data, has_more } = await metrics('group_by=event_type&measures=attempts')
  expect([data.length, data[0].group, has_more]).toEqual([100, 'type.n102', true])
})

test.each([
  ['measures=speed', '?measures', 'with commas between: count, success_rate'],
  ['group_by=host', '?group_by', 'must be one of'],
  ['interval=2h', '?interval', 'must be one of'],
  ['interval=5m&since=7d', '?interval', 'is kept for 48 hours'],
  ['interval=1m&since=2026-11-21T13:59:59Z', '?interval', 'is kept for 48 hours'],
  ['interval=1h&since=90d&until=2027-11-23T00:00:00Z', '?interval', 'intervals'],
  ['state=failed', '?state', 'GET /v1/deliveries?state='],
  ['http_status=5xx', '?http_status', 'failure_code'],
  [`event=${formatId('event', sub1)}`, '?event', 'GET /v1/deliveries?event='],
  [`replay=${formatId('replay', sub1)}`, '?replay', 'trigger=replay'],
  ['key.order=ord_42', '?key.order', 'GET /v1/deliveries?key.'],
  ['failure_code=teapot', '?failure_code', 'must be one of'],
  ['since=2026-02-31T00:00:00Z', '?since', 'is not a day of the calendar'],
  ['colour=red', '?colour', ''],
])('422 for metrics asked with %s, and the place and the way out are named', async (query, pointer, detail) => {
  const { status, body } = await api.ask('GET', `/v1/metrics/deliveries?${query}`)
  expect([status, body.code]).toEqual([422, 'invalid_request'])
  const place = body.errors.find((error: { pointer: string }) => error.pointer === pointer)
  expect(place?.detail).toContain(detail)
})

test('403 for a key that publishes, which sees no deliveries', async () => {
  const answers = ['deliveries', 'causes'].map((what) =>
    api.ask('GET', `/v1/metrics/${what}`, undefined, { as: 'publisher' }),
  )
  expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([403, 403])
})

test('metrics read rollups by the time that is asked for, and never attempts or deliveries', async () => {
  // As if 200 tenants had been busy for two days.
  await api.db.pool.query(`
    insert into attempt_minute_kept
    select timestamptz '${new Date(nowMs - 47 * hourMs).toISOString()}' + n % 2820 * interval '1 minute', 'tenant-' || n % 200, gen_random_uuid(),
           'a.b', 'automatic', case when n % 3 = 0 then 'http_5xx' else '' end, 'host', 100, 10, 1, now(), now(), null, '{${bucket(1, 100)}}', '{${bucket(2, 100)}}'
    from generate_series(1, 60000) n`)
  await api.db.pool.query('analyze attempt_minute_kept')
  const asked: { text: string; values: unknown[] }[] = []
  const { pool } = api.db
  const query = pool.query.bind(pool)
  Object.assign(pool, {
    query: (...given: [string, unknown[]]) => {
      if (typeof given[0] === 'string') asked.push({ text: given[0], values: given[1] })
      return query(...given)
    },
  })
  await metrics('tenant=tenant-7&interval=1h&group_by=failure_code')
  await metrics('since=3h&until=30m&interval=5m')
  await api.ask('GET', '/v1/metrics/causes?since=3h')
  await metrics('since=2026-11-23T10:00:00Z&interval=1h&tenant=tenant-7')
  Object.assign(pool, { query })
  const [open, kept, hours] = ['attempt_minute', 'attempt_minute_kept', 'attempt_hour']
  const tables = [
    [hours, open, kept],
    [open, kept],
    [hours, open, kept],
    [hours, open, kept],
  ]
  expect(asked).toHaveLength(tables.length)
  for (const [index, { text, values }] of asked.entries()) {
    const [row] = (await pool.query(`explain (format json) ${text}`, values)).rows
    const plan = JSON.stringify(row['QUERY PLAN'])
    const relations = new Set(Array.from(plan.matchAll(/"Relation Name":"(\w+)"/g), ([, name]) => name))
    expect([...relations].sort()).toEqual(tables[index])
    expect(plan).not.toMatch(/"Seq Scan"[^{}]*"attempt_minute_kept"/)
    expect(plan).toMatch(/attempt_minute_kept_(pkey|tenant_id_starts_at_idx)/)
  }
})

test('every trigger, failure code and grouping that rollups keep can be asked for', async () => {
  await keep(...failureCodes.map((failureCode) => rollup(1, { failureCode })))
  const codes = failureCodes.map((code) => `failure_code=${code}`).join('&')
  const triggers = attemptTriggers.map((trigger) => `trigger=${trigger}`).join('&')
  const { data } = await metrics(`group_by=failure_code&measures=failures&${codes}&${triggers}`)
  expect(data.map((row: { group: string }) => row.group).sort()).toEqual(failureCodes.toSorted())
})
