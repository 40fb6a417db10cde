import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../testing/index.ts'
import { newUuid, type World } from '../../world.ts'
import { type Database, openDatabase } from '../database.ts'
import { beatDispatcher } from './beat-dispatcher.ts'
import { claimDeliveries } from './claim-deliveries.ts'
import { forgetDispatcher } from './forget-dispatcher.ts'
import { giveBack } from './give-back.ts'
import { type AttemptRecord, recordAttempts } from './record-attempts.ts'
import { releaseDeliveries } from './release-deliveries.ts'
import { wakeDeliveries } from './wake-deliveries.ts'

const world: World = { now: () => Date.now(), randomBytes: (count) => randomBytes(count) }
const shard = 9

let database: TestDatabase
let db: Database
let subscriptionId: string

beforeAll(async () => {
  database = await createTestDatabase()
  db = openDatabase({ url: database.url, poolSize: 5 })
  await db.prisma.tenant.create({ data: { id: 'acme' } })
})

beforeEach(async () => {
  await db.pool.query('truncate backlog, delivery, attempt, event, subscription, dispatcher cascade')
  subscriptionId = newUuid(world)
  await db.prisma.subscription.create({
    data: {
      id: subscriptionId,
      tenantId: 'acme',
      url: 'http://receiver.test/',
      eventTypes: ['*'],
      shard,
      maxInFlight: 1_000,
    },
  })
})

afterAll(async () => {
  await db[Symbol.asyncDispose]()
  await database[Symbol.asyncDispose]()
})

test('recording the same attempts twice, as when the answer to the first time got lost, changes nothing the second time', async () => {
  await owe(4)
  const claims = await claim(4)
  const records = [
    recordOf(claims[0], { status: 204, failureCode: null, next: { kind: 'delivered' } }),
    recordOf(claims[1], { next: { kind: 'failed' } }),
    recordOf(claims[2], { next: { kind: 'retry', delayMs: 60_000, scheduleStep: 1 } }),
    recordOf(claims[3], { failureCode: 'aborted', status: null, next: { kind: 'retry', delayMs: 0, scheduleStep: 0 } }),
  ]
  const moved = await recordAttempts(db.pool, records)
  expect(moved.map((row) => row.state).sort()).toEqual(['delivered', 'failed', 'retrying', 'retrying'])
  const before = await everything()
  expect(await recordAttempts(db.pool, records)).toEqual([])
  expect(await everything()).toEqual(before)
  expect(before.attempts).toHaveLength(4)
  expect(before.backlog).toHaveLength(2)
})

test('of a batch, the attempts whose leases were lost are written down and the others move their deliveries', async () => {
  await owe(2)
  const claims = await claim(2)
  await db.pool.query(`update backlog set next_attempt_at = 'epoch' where delivery_id = $1`, [claims[0]?.delivery_id])
  await wakeDeliveries(db.pool, [shard], 10)
  const moved = await recordAttempts(
    db.pool,
    claims.map((one) => recordOf(one, { status: 204, failureCode: null, next: { kind: 'delivered' } })),
  )
  expect(moved.map((row) => row.delivery_id)).toEqual([claims[1]?.delivery_id])
  const { attempts, deliveries } = await everything()
  expect(attempts.map((attempt) => attempt.failureCode)).toEqual([null, null])
  expect(deliveries.map((delivery) => delivery.state).sort()).toEqual(['delivered', 'retrying'])
})

test('a 410 disables an active subscription and leaves a paused one paused', async () => {
  await owe(2)
  const [first, second] = await claim(2)
  const gone = { status: 410, failureCode: 'http_410', next: { kind: 'failed' }, gone: true } as const
  await db.prisma.subscription.updateMany({ data: { state: 'paused' } })
  await recordAttempts(db.pool, [recordOf(first, gone)])
  expect(await db.prisma.subscription.findFirst()).toMatchObject({ state: 'paused', disabledReason: null })
  await db.prisma.subscription.updateMany({ data: { state: 'active' } })
  await recordAttempts(db.pool, [recordOf(second, gone)])
  expect(await db.prisma.subscription.findFirst()).toMatchObject({ state: 'disabled', disabledReason: 'gone' })
})

test('a shorter wish for patience does not shorten a longer one', async () => {
  await owe(2)
  const [first, second] = await claim(2)
  const next = { kind: 'retry', delayMs: 1_000, scheduleStep: 1 } as const
  await recordAttempts(db.pool, [recordOf(first, { next, slowDownMs: 3_600_000 })])
  const { notBefore } = await db.prisma.subscription.findFirstOrThrow()
  await recordAttempts(db.pool, [recordOf(second, { next, slowDownMs: 1_000 })])
  expect(await db.prisma.subscription.findFirstOrThrow()).toMatchObject({ notBefore })
})

test('what was claimed and not sent is given back as if it had not been claimed, and only by the one who holds it', async () => {
  const [deliveryId] = await owe(1)
  const [claimed] = await claim(1)
  const mine = { deliveryId: deliveryId ?? '', number: claimed?.attempt_number ?? 0 }
  await giveBack(db.pool, [{ ...mine, number: mine.number + 1 }])
  expect((await everything()).backlog[0]).toMatchObject({ ready: false, attemptNumber: 1 })
  await giveBack(db.pool, [mine])
  expect((await everything()).backlog[0]).toMatchObject({
    ready: true,
    attemptNumber: 0,
    attemptId: null,
    leasedAt: null,
  })
  // Again: it is not leased any more, so there is nothing to give back.
  await giveBack(db.pool, [{ ...mine, number: 0 }])
  expect((await everything()).backlog[0]).toMatchObject({ ready: true, attemptNumber: 0 })
  expect(await claim(1)).toMatchObject([{ attempt_number: 1 }])
})

test('only what is overdue in the asked shards is woken, no more than asked for, and only leases leave a note', async () => {
  await owe(6)
  await claim(3)
  await db.pool.query(`
    update backlog set ready = false,
      next_attempt_at = case when attempt_number = 1 or delivery_id in (select delivery_id from backlog where ready limit 2)
        then 'epoch'::timestamptz else now() + interval '1 hour' end`)
  expect(await wakeDeliveries(db.pool, [shard + 1], 100)).toEqual([])
  expect(await wakeDeliveries(db.pool, [], 100)).toEqual([])
  expect(await wakeDeliveries(db.pool, [shard], 2)).toEqual([{ shard, woken: 2 }])
  expect(await wakeDeliveries(db.pool, [shard], 100)).toEqual([{ shard, woken: 3 }])
  expect(await wakeDeliveries(db.pool, [shard], 100)).toEqual([])
  const { attempts, backlog, deliveries } = await everything()
  expect(attempts.map(({ number, failureCode }) => [number, failureCode])).toEqual([
    [1, 'aborted'],
    [1, 'aborted'],
    [1, 'aborted'],
  ])
  expect(backlog.filter((row) => row.ready)).toHaveLength(5)
  expect(deliveries.map((delivery) => delivery.state).sort()).toEqual([
    ...Array.from({ length: 3 }, () => 'pending'),
    ...Array.from({ length: 3 }, () => 'retrying'),
  ])
})

test('the note that an attempt was aborted never replaces what is known of it', async () => {
  await owe(1)
  const [claimed] = await claim(1)
  // The attempt was recorded, but the lease was not given up: as after a restore of one table.
  await recordAttempts(db.pool, [recordOf(claimed, { next: { kind: 'retry', delayMs: 0, scheduleStep: 1 } })])
  await db.pool.query(
    `update backlog set ready = false, leased_at = now(), attempt_id = $1, next_attempt_at = 'epoch'`,
    [claimed?.attempt_id],
  )
  await wakeDeliveries(db.pool, [shard], 10)
  expect((await everything()).attempts).toMatchObject([{ failureCode: 'http_5xx', httpStatus: 500 }])
})

test('several who wake at once share the rows', async () => {
  await owe(400)
  await claim(400)
  await db.pool.query(`update backlog set next_attempt_at = 'epoch'`)
  const rounds = await Promise.all(
    Array.from({ length: 5 }, async () => {
      let woken = 0
      for (;;) {
        const now = (await wakeDeliveries(db.pool, [shard], 30)).reduce((sum, row) => sum + row.woken, 0)
        if (now === 0) return woken
        woken += now
      }
    }),
  )
  const left = (await wakeDeliveries(db.pool, [shard], 400)).reduce((sum, row) => sum + row.woken, 0)
  expect(rounds.reduce((sum, woken) => sum + woken, left)).toBe(400)
  expect((await everything()).attempts).toHaveLength(400)
})

test('held deliveries are released oldest first, in pieces, and those who release at once share them', async () => {
  const ids = await owe(50)
  await db.pool.query('truncate backlog')
  await db.pool.query(`update delivery set state = 'held'`)
  expect(await releaseDeliveries(db.pool, subscriptionId, { send: true, rowsMax: 10 })).toBe(10)
  expect((await everything()).backlog.map((row) => row.deliveryId).sort()).toEqual([...ids].sort().slice(0, 10))
  const moved = await Promise.all(
    [1, 2, 3, 4].map(() => releaseDeliveries(db.pool, subscriptionId, { send: true, rowsMax: 20 })),
  )
  const last = await releaseDeliveries(db.pool, subscriptionId, { send: true, rowsMax: 100 })
  expect(moved.reduce((sum, count) => sum + count, last)).toBe(40)
  expect((await everything()).backlog).toHaveLength(50)
})

test('a dispatcher counts the living ones, and the dead are forgotten after a while', async () => {
  const [one, other] = [newUuid(world), newUuid(world)]
  expect(await beatDispatcher(db.pool, one, 15_000)).toBe(1)
  expect(await beatDispatcher(db.pool, other, 15_000)).toBe(2)
  expect(await beatDispatcher(db.pool, one, 15_000)).toBe(2)
  await db.pool.query(`update dispatcher set heartbeat_at = now() - interval '20 seconds' where id = $1`, [other])
  expect(await beatDispatcher(db.pool, one, 15_000)).toBe(1)
  expect(await db.prisma.dispatcher.count()).toBe(2)
  await db.pool.query(`update dispatcher set heartbeat_at = now() - interval '151 seconds' where id = $1`, [other])
  await beatDispatcher(db.pool, one, 15_000)
  expect(await db.prisma.dispatcher.findMany()).toMatchObject([{ id: one }])
  await forgetDispatcher(db.pool, one)
  expect(await db.prisma.dispatcher.count()).toBe(0)
})

/** Deliveries that are due now, each of an event of its own. */
async function owe(count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, () => ({ deliveryId: newUuid(world), eventId: newUuid(world) }))
  const common = { tenantId: 'acme', subscriptionId }
  await db.prisma.event.createMany({
    data: ids.map(({ eventId: id }) => ({ id, tenantId: 'acme', type: 'a.b', timestamp: new Date(), data: '{}' })),
  })
  await db.prisma.delivery.createMany({
    data: ids.map(({ deliveryId: id, eventId }) => ({ ...common, id, eventId, eventType: 'a.b', state: 'pending' })),
  })
  await db.prisma.backlog.createMany({
    data: ids.map((one) => ({ ...common, ...one, shard, nextAttemptAt: new Date(0) })),
  })
  return ids.map((one) => one.deliveryId)
}

function claim(count: number) {
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
    startedAt: new Date(0),
    url: claimed.subscription.url,
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

async function everything() {
  const orderBy = { id: 'asc' } as const
  const [attempts, deliveries, backlog] = await Promise.all([
    db.prisma.attempt.findMany({ orderBy }),
    db.prisma.delivery.findMany({ orderBy }),
    db.prisma.backlog.findMany({ orderBy: { deliveryId: 'asc' } }),
  ])
  return { attempts, deliveries, backlog }
}
