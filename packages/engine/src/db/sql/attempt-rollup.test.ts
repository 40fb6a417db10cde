import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { rollUpAttempts } from '../../rollups.ts'
import { createTestDatabase, type TestDatabase } from '../../testing/index.ts'
import { newUuid, type World } from '../../world.ts'
import { type Database, openDatabase } from '../database.ts'
import { claimDeliveries } from './claim-deliveries.ts'
import { type AttemptRecord, recordAttempts } from './record-attempts.ts'
import { wakeDeliveries } from './wake-deliveries.ts'

const shard = 9
const hourMs = 3_600_000
/** Set forward by tests, so that attempts begin in the minute that a test wants. */
let nowMs = Date.UTC(2026, 10, 23, 14, 3, 20)
const world: World = { now: () => nowMs, randomBytes: (count) => randomBytes(count) }

let database: TestDatabase
let db: Database
let subscriptionIds: string[]

beforeAll(async () => {
  database = await createTestDatabase()
  db = openDatabase({ url: database.url, poolSize: 8 })
  await db.prisma.tenant.create({ data: { id: 'acme' } })
})

beforeEach(async () => {
  nowMs = Date.now()
  await db.pool.query(
    'truncate backlog, delivery, attempt, event, subscription, attempt_minute, attempt_minute_kept, attempt_hour cascade',
  )
  subscriptionIds = [newUuid(world), newUuid(world)]
  for (const [index, id] of subscriptionIds.entries()) {
    const url = `https://user-${index}.receiver.test:8443/hooks?token=t`
    await db.prisma.subscription.create({
      data: { id, tenantId: 'acme', url, eventTypes: ['*'], shard, maxInFlight: 1_000 },
    })
  }
})

afterAll(async () => {
  await db[Symbol.asyncDispose]()
  await database[Symbol.asyncDispose]()
})

test('a batch writes one row for each minute, subscription, type, trigger, cause and receiver, whatever its size', async () => {
  const claims = [...(await owed(0, 40)), ...(await owed(1, 20))]
  const records = claims.map((claimed, index) =>
    index % 4 === 0
      ? recordOf(claimed, { waitMs: 3, totalMs: 700, next: { kind: 'failed' } })
      : recordOf(claimed, { status: 204, failureCode: null, waitMs: 0.5, totalMs: 30, next: { kind: 'delivered' } }),
  )
  await recordAttempts(db.pool, records)
  const rows = await rollups()
  expect(rows).toHaveLength(4)
  expect(
    rows.map(({ host, failureCode, attempts, ended, entered }) => [host, failureCode, attempts, ended, entered]),
  ).toEqual([
    ['user-0.receiver.test:8443', '', 30, 30, 0],
    ['user-0.receiver.test:8443', 'http_5xx', 10, 10, 10],
    ['user-1.receiver.test:8443', '', 15, 15, 0],
    ['user-1.receiver.test:8443', 'http_5xx', 5, 5, 5],
  ])
  expect(rows[1]?.waits).toEqual([0, 0, 10, ...Array(15).fill(0)])
  expect(rows[1]?.times).toEqual([...Array(9).fill(0), 10, ...Array(8).fill(0)])
  expect(rows[0]?.startsAt.getTime()).toBe(Math.floor(nowMs / 60_000) * 60_000)
  expect(claims.map((claimed) => claimed.delivery_id)).toContain(rows[1]?.deliveryId)
})

test('recording the same attempts again, as when the answer to the first time got lost, counts nothing again', async () => {
  const claims = await owed(0, 3)
  const records = [
    recordOf(claims[0], { next: { kind: 'failed' } }),
    recordOf(claims[1], { status: 204, failureCode: null, next: { kind: 'delivered' } }),
    // Broken off by its own dispatcher: it looks like the note of a successor, and is none.
    recordOf(claims[2], { failureCode: 'aborted', status: null, next: { kind: 'retry', delayMs: 0, scheduleStep: 0 } }),
  ]
  await recordAttempts(db.pool, records)
  const before = await rollups()
  expect(before).toHaveLength(3)
  await recordAttempts(db.pool, records)
  await recordAttempts(db.pool, records.toReversed())
  expect(await rollups()).toEqual(before)
})

test('an attempt whose lease was lost counts as aborted until its outcome is recorded, and then as what it was', async () => {
  const [claimed] = await owed(0, 1)
  await loseLeases()
  await wakeDeliveries(db.pool, [shard], 10)
  expect(await counts()).toEqual({ aborted: [1, 0, 1] })
  expect((await rollups())[0]?.times.every((count) => count === 0)).toBe(true)
  await recordAttempts(db.pool, [recordOf(claimed, { totalMs: 40, next: { kind: 'failed' } })])
  expect(await counts()).toEqual({ aborted: [0, 0, 0], http_5xx: [1, 0, 1] })
  await recordAttempts(db.pool, [recordOf(claimed, { totalMs: 40, next: { kind: 'failed' } })])
  expect(await counts()).toEqual({ aborted: [0, 0, 0], http_5xx: [1, 0, 1] })
})

test('a delivery is counted once for a cause, however often it fails by it, and again when another came between', async () => {
  await owe(0, 1)
  for (const failureCode of ['http_5xx', 'http_5xx', 'connect_refused', 'http_5xx'] as const) {
    const [claimed] = await claim(0, 1)
    await recordAttempts(db.pool, [
      recordOf(claimed, { failureCode, next: { kind: 'retry', delayMs: 0, scheduleStep: 1 } }),
    ])
    await loseLeases()
    await wakeDeliveries(db.pool, [shard], 10)
  }
  expect(await counts()).toEqual({ http_5xx: [3, 0, 2], connect_refused: [1, 0, 1] })
})

test('dispatchers that record and wake the same subscriptions at once wait for each other in no circle, and no attempt is lost to the counts', async () => {
  const claims = [...(await owed(0, 120)), ...(await owed(1, 120))]
  const records = claims.map((claimed, index) =>
    recordOf(claimed, { failureCode: index % 3 === 0 ? 'http_5xx' : 'http_429', next: { kind: 'failed' } }),
  )
  // Half of the leases are lost; who wakes and who records meet at the same rows.
  await db.pool.query(`update backlog set next_attempt_at = 'epoch' where delivery_id = any($1)`, [
    claims.filter((_, index) => index % 2 === 0).map((claimed) => claimed.delivery_id),
  ])
  const batches = Array.from({ length: 12 }, (_, batch) => records.filter((_, index) => index % 12 === batch))
  await Promise.all(
    batches.flatMap((batch, index) => [
      recordAttempts(db.pool, index % 2 === 0 ? batch : batch.toReversed()),
      wakeDeliveries(db.pool, [shard], 15),
    ]),
  )
  const stored = await db.prisma.attempt.groupBy({ by: ['failureCode'], _count: true })
  const counted = Object.fromEntries(stored.map((row) => [row.failureCode, row._count]))
  const told = Object.fromEntries(
    Object.entries(await counts()).flatMap(([code, [attempts]]) => (attempts === 0 ? [] : [[code, attempts]])),
  )
  expect(told).toEqual(counted)
})

test('minutes come to their hour when it is over without a change of the sums, in whatever pieces, and are kept beside it', async () => {
  const start = Math.floor(nowMs / hourMs) * hourMs
  for (const minutes of [1, 2, 59]) await failAt(start - hourMs + minutes * 60_000, 2, minutes)
  await failAt(start, 1, 1)
  const before = await counts()
  const at = (hours: number) => new Date(start + hours * hourMs)
  // Too early: the hour goes on, or has only just ended.
  expect(await rollUpAttempts(db, at(-0.5))).toEqual({ rolledUp: 0, deleted: 0 })
  expect(await rollUpAttempts(db, at(0.05))).toEqual({ rolledUp: 0, deleted: 0 })
  expect(await rollUpAttempts(db, at(0.1), 1)).toEqual({ rolledUp: 3, deleted: 0 })
  expect(await db.prisma.attemptMinute.findMany()).toMatchObject([{ startsAt: at(0), attempts: 1 }])
  const times = [0, 2, 2, 0, 0, 0, 2, ...Array(11).fill(0)]
  expect(await db.prisma.attemptHour.findMany()).toMatchObject([
    { startsAt: at(-1), attempts: 6, ended: 6, entered: 6, times },
  ])
  expect(await kept()).toEqual([
    [1, 2],
    [2, 2],
    [59, 2],
  ])
  expect(await counts()).toEqual(before)
  // Two that come very late, one of them to a minute that is kept, are brought to their hour by the next run.
  await failAt(start - hourMs + 30_000, 1, 1)
  await failAt(start - hourMs + 119_000, 1, 1)
  expect(await rollUpAttempts(db, at(0.6))).toEqual({ rolledUp: 2, deleted: 0 })
  expect(await db.prisma.attemptHour.findMany()).toMatchObject([{ startsAt: at(-1), attempts: 8 }])
  expect(await kept()).toEqual([
    [0, 1],
    [1, 3],
    [2, 2],
    [59, 2],
  ])

  async function kept(): Promise<[number, number][]> {
    const rows = await db.prisma.attemptMinuteKept.findMany({ orderBy: { startsAt: 'asc' } })
    return rows.map(({ startsAt, attempts }) => [(startsAt.getTime() - at(-1).getTime()) / 60_000, attempts])
  }
})

test('a note that is taken back after its hour was rolled up is taken back in the hour too', async () => {
  const start = Math.floor(nowMs / hourMs) * hourMs
  nowMs = start - 60_000
  const [claimed] = await owed(0, 1)
  await loseLeases()
  await wakeDeliveries(db.pool, [shard], 10)
  const later = new Date(start + hourMs / 2)
  await rollUpAttempts(db, later)
  expect(await counts()).toEqual({ aborted: [1, 0, 1] })
  await recordAttempts(db.pool, [recordOf(claimed, { totalMs: 40, next: { kind: 'failed' } })])
  expect(await counts()).toEqual({ aborted: [0, 0, 0], http_5xx: [1, 0, 1] })
  await rollUpAttempts(db, later)
  expect(await counts()).toEqual({ aborted: [0, 0, 0], http_5xx: [1, 0, 1] })
  expect(await db.prisma.attemptMinute.count()).toBe(0)
})

test('minutes are kept for 48 hours and one more, and hours for 90 days', async () => {
  const start = Math.floor(nowMs / hourMs) * hourMs
  await failAt(start - 60_000, 1, 1)
  const at = (hours: number) => new Date(start + hours * hourMs)
  expect(await rollUpAttempts(db, at(48))).toEqual({ rolledUp: 1, deleted: 0 })
  expect(await rollUpAttempts(db, at(48.9))).toEqual({ rolledUp: 0, deleted: 0 })
  expect(await rollUpAttempts(db, at(49))).toEqual({ rolledUp: 0, deleted: 1 })
  expect(await db.prisma.attemptMinuteKept.count()).toBe(0)
  expect(await rollUpAttempts(db, at(24 * 90 - 1))).toEqual({ rolledUp: 0, deleted: 0 })
  expect(await db.prisma.attemptHour.count()).toBe(1)
  expect(await rollUpAttempts(db, at(24 * 90))).toEqual({ rolledUp: 0, deleted: 1 })
  expect(await db.prisma.attemptHour.count()).toBe(0)
})

test('attempts that are recorded while their minutes are rolled up, and by two at once, are counted once', async () => {
  const start = Math.floor(nowMs / hourMs) * hourMs
  nowMs = start - 60_000
  const claims = [...(await owed(0, 60)), ...(await owed(1, 60))]
  const records = claims.map((claimed) => recordOf(claimed, { next: { kind: 'failed' } }))
  const batches = Array.from({ length: 12 }, (_, batch) => records.filter((_, index) => index % 12 === batch))
  const later = new Date(start + hourMs / 2)
  await Promise.all(
    batches.flatMap((batch) => [
      recordAttempts(db.pool, batch),
      rollUpAttempts(db, later, 1),
      rollUpAttempts(db, later),
    ]),
  )
  expect(await counts()).toEqual({ http_5xx: [120, 120, 120] })
  await rollUpAttempts(db, later)
  const [hours, kept] = [await db.prisma.attemptHour.findMany(), await db.prisma.attemptMinuteKept.findMany()]
  for (const rows of [hours, kept]) {
    expect(rows.map(({ attempts }) => attempts)).toEqual([60, 60])
    expect(rows.map(({ times }) => times.reduce((sum, count) => sum + count, 0))).toEqual([60, 60])
  }
})

/** Records attempts that began at that time, took so long and failed for good. */
async function failAt(ms: number, count: number, totalMs: number): Promise<void> {
  nowMs = ms
  const claims = await owed(0, count)
  await recordAttempts(
    db.pool,
    claims.map((claimed) => recordOf(claimed, { totalMs, next: { kind: 'failed' } })),
  )
}

/** Attempts, ended and entered by cause, over all that is open and all hours. */
async function counts(): Promise<Record<string, [number, number, number]>> {
  const rows = [...(await db.prisma.attemptMinute.findMany()), ...(await db.prisma.attemptHour.findMany())]
  const sums: Record<string, [number, number, number]> = {}
  for (const { failureCode, attempts, ended, entered } of rows) {
    const [a, e, n] = sums[failureCode] ?? [0, 0, 0]
    sums[failureCode] = [a + attempts, e + ended, n + entered]
  }
  return sums
}

function rollups() {
  return db.prisma.attemptMinute.findMany({ orderBy: [{ host: 'asc' }, { failureCode: 'asc' }] })
}

async function loseLeases(): Promise<void> {
  await db.pool.query(`update backlog set next_attempt_at = 'epoch' where not ready`)
}

async function owed(index: number, count: number) {
  await owe(index, count)
  return claim(index, count)
}

async function owe(index: number, count: number): Promise<void> {
  const common = { tenantId: 'acme', subscriptionId: subscriptionIds[index] ?? '' }
  const ids = Array.from({ length: count }, () => ({ deliveryId: newUuid(world), eventId: newUuid(world) }))
  await db.prisma.event.createMany({
    data: ids.map(({ eventId: id }) => ({ id, tenantId: 'acme', type: 'a.b', timestamp: new Date(), data: '{}' })),
  })
  await db.prisma.delivery.createMany({
    data: ids.map(({ deliveryId: id, eventId }) => ({ ...common, id, eventId, eventType: 'a.b', state: 'pending' })),
  })
  await db.prisma.backlog.createMany({
    data: ids.map((one) => ({ ...common, ...one, shard, nextAttemptAt: new Date(0) })),
  })
}

function claim(index: number, count: number) {
  const subscriptionId = subscriptionIds[index] ?? ''
  return claimDeliveries(db.pool, {
    offers: [{ shard, tenantId: 'acme', subscriptionId, part: count, inFlight: 0, dueFrom: null }],
    attemptIds: Array.from({ length: count }, () => newUuid(world)),
    leaseMarginMs: 15_000,
  })
}

type Claimed = Awaited<ReturnType<typeof claim>>[number]

/** What came of a claimed attempt: a 500 unless told otherwise. */
function recordOf(claimed: Claimed | undefined, over: Partial<AttemptRecord>): AttemptRecord {
  if (claimed === undefined) throw new Error('Fewer deliveries were claimed than the test needs')
  const index = subscriptionIds.indexOf(claimed.subscription_id)
  return {
    id: claimed.attempt_id,
    tenantId: claimed.tenant_id,
    deliveryId: claimed.delivery_id,
    eventId: claimed.event_id,
    subscriptionId: claimed.subscription_id,
    eventType: claimed.type,
    number: claimed.attempt_number,
    trigger: 'automatic',
    actor: null,
    reason: null,
    startedAt: new Date(nowMs),
    url: `https://user-${index}.receiver.test:8443/hooks?token=t`,
    requestHeaders: {},
    remoteAddress: null,
    status: 500,
    failureCode: 'http_5xx',
    failureDetail: null,
    responseHeaders: {},
    responseBody: new Uint8Array(),
    responseTruncated: false,
    waitMs: 1,
    dnsMs: null,
    connectMs: null,
    tlsMs: null,
    firstByteMs: null,
    totalMs: 1,
    next: { kind: 'failed' },
    gone: false,
    slowDownMs: 0,
    health: null,
    ...over,
  }
}
