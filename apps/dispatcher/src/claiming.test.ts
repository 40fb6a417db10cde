import { randomBytes } from 'node:crypto'
import { type Claim, type Database, newUuid, openDatabase, shardCount, type World } from '@posthorn/engine'
import { createTestDatabase, type TestDatabase } from '@posthorn/engine/testing'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { createTurns } from './claiming.ts'

const world: World = { now: () => Date.now(), randomBytes: (count) => randomBytes(count) }
const allShards = Array.from({ length: shardCount }, (_, shard) => shard)

let database: TestDatabase
let db: Database
let eventId: string

beforeAll(async () => {
  database = await createTestDatabase()
  db = openDatabase({ url: database.url, poolSize: 5 })
  eventId = newUuid(world)
  await db.prisma.tenant.create({ data: { id: 'acme' } })
  await db.prisma.event.create({
    data: { id: eventId, tenantId: 'acme', type: 'invoice.paid', timestamp: new Date(), data: '{}' },
  })
})

beforeEach(async () => {
  await db.pool.query('truncate backlog, subscription cascade')
})

afterAll(async () => {
  await db[Symbol.asyncDispose]()
  await database[Symbol.asyncDispose]()
})

test('a subscription with thousands of due deliveries does not keep another one from the very next turn', async () => {
  await subscribe({ number: 1, shard: 7, due: 5_000, maxInFlight: 1_000 })
  const turns = createTurns(db, world)
  expect(await turns.claim([7], 8)).toHaveLength(8)
  const other = await subscribe({ number: 2, shard: 7, due: 1 })
  const next = await turns.claim([7], 8)
  expect(next.map((claim) => claim.subscriptionId)).toContain(other)
})

test('the subscriptions of a shard take turns, and none gives more than a few at once', async () => {
  const ids: string[] = []
  for (const number of [1, 2, 3, 4]) ids.push(await subscribe({ number, shard: 3, due: 100, maxInFlight: 1_000 }))
  const turns = createTurns(db, world)
  const given = new Map<string, number>()
  for (let turn = 0; turn < 10; turn += 1) {
    const claims = await turns.claim([3], 32)
    expect(claims).toHaveLength(32)
    const inThisTurn = Map.groupBy(claims, (claim) => claim.subscriptionId)
    expect(Math.max(...[...inThisTurn.values()].map((some) => some.length))).toBeLessThanOrEqual(16)
    for (const [id, some] of inThisTurn) given.set(id, (given.get(id) ?? 0) + some.length)
  }
  expect(ids.map((id) => given.get(id))).toEqual([80, 80, 80, 80])
})

test('busy shards share the slots equally, however few get free at a time and wherever the shards lie', async () => {
  const ids: string[] = []
  for (const shard of [0, 1, 40]) ids.push(await subscribe({ number: 1, shard, due: 100, maxInFlight: 1_000 }))
  const turns = createTurns(db, world)
  const served: string[] = []
  for (let turn = 0; turn < 90; turn += 1)
    served.push(...(await turns.claim(allShards, 1)).map((claim) => claim.subscriptionId))
  expect(ids.map((id) => served.filter((one) => one === id).length)).toEqual([30, 30, 30])
})

test('when a rush in all shards is over, new work in any of them is found by the next claim', async () => {
  for (const shard of allShards) await subscribe({ number: 9, shard, due: 2, maxInFlight: 1_000 })
  const turns = createTurns(db, world)
  let claimed = 0
  // Turns that are full end in the middle of their shards.
  while (claimed < 2 * shardCount) claimed += (await turns.claim(allShards, 16)).length
  // Before the places where the turns ended, in every shard.
  const early: string[] = []
  for (const shard of allShards) early.push(await subscribe({ number: 1, shard, due: 1 }))
  const found = await turns.claim(allShards, 2 * shardCount)
  expect(found.map((claim) => claim.subscriptionId).sort()).toEqual(early.sort())
})

test('subscriptions that may get nothing now do not hide one that may, however many they are', async () => {
  for (let number = 1; number <= 150; number += 1)
    await subscribe({ number, shard: 5, due: 1, notBefore: new Date(Date.now() + 3_600_000) })
  for (let number = 151; number <= 200; number += 1) await subscribe({ number, shard: 5, due: 1, state: 'paused' })
  const active = await subscribe({ number: 201, shard: 5, due: 1 })
  const claims = await createTurns(db, world).claim(allShards, 32)
  expect(claims.map((claim) => claim.subscriptionId)).toEqual([active])
})

test('no more of a subscription are in flight than it allows, and one that ended makes room for one', async () => {
  await subscribe({ number: 1, shard: 2, due: 10, maxInFlight: 3 })
  const turns = createTurns(db, world)
  const first = await turns.claim([2], 100)
  expect(first).toHaveLength(3)
  expect(await turns.claim([2], 100)).toEqual([])
  expect(first.slice(0, 1).map((claim) => turns.ended(claim))).toEqual([true])
  expect(await turns.claim([2], 100)).toHaveLength(1)
  expect(await turns.claim([2], 100)).toEqual([])
})

test('a subscription that gave all it had says so when one of its attempts ends', async () => {
  await subscribe({ number: 1, shard: 2, due: 2, maxInFlight: 10 })
  const turns = createTurns(db, world)
  const claims = await turns.claim([2], 100)
  expect(claims.map((claim) => turns.ended(claim))).toEqual([false, false])
})

test('nothing is claimed of other shards, of inactive subscriptions, and of what is not due', async () => {
  await subscribe({ number: 1, shard: 1, due: 1 })
  await subscribe({ number: 1, shard: 2, due: 1, state: 'paused' })
  await subscribe({ number: 2, shard: 2, due: 1, deletedAt: new Date() })
  await subscribe({ number: 3, shard: 2, due: 1, notBefore: new Date(Date.now() + 60_000) })
  await db.pool.query(`update backlog set ready = false where shard = 1`)
  const turns = createTurns(db, world)
  expect(await turns.claim([1, 2, 3], 100)).toEqual([])
  expect(await turns.claim([], 100)).toEqual([])
})

test('claims made at the same time for the same shards never take the same delivery', async () => {
  for (const shard of [1, 2, 3, 4]) await subscribe({ number: 1, shard, due: 250, maxInFlight: 1_000 })
  const dispatchers = Array.from({ length: 5 }, () => createTurns(db, world))
  const claims = (
    await Promise.all(
      dispatchers.map(async (turns) => {
        const mine: Claim[] = []
        for (;;) {
          const some = await turns.claim([1, 2, 3, 4], 20)
          mine.push(...some)
          if (some.length === 0) return mine
        }
      }),
    )
  ).flat()
  expect(new Set(claims.map((claim) => claim.deliveryId)).size).toBe(claims.length)
  expect(new Set(claims.map((claim) => claim.attemptId)).size).toBe(claims.length)
  expect(claims.every((claim) => claim.number === 1)).toBe(true)
  // What one skipped because another had it locked is found by a later look.
  const left = await createTurns(db, world).claim([1, 2, 3, 4], 1_000)
  expect(claims.length + left.length).toBe(1_000)
})

test('a claim leaves a lease behind that is longer than the attempt may take', async () => {
  const id = await subscribe({ number: 1, shard: 6, due: 1 })
  const [claim] = await createTurns(db, world).claim([6], 1)
  const { rows } = await db.pool.query(
    `select attempt_id, attempt_number, ready, leased_at <= now() as leased,
            next_attempt_at - leased_at > interval '19 seconds' as outlasts from backlog where subscription_id = $1`,
    [id],
  )
  expect(rows).toEqual([
    { attempt_id: claim?.attemptId, attempt_number: 1, ready: false, leased: true, outlasts: true },
  ])
  expect(claim).toMatchObject({ subscriptionId: id, eventId, number: 1, trigger: 'automatic', timeoutMs: 5_000 })
})

type Wanted = {
  /** Subscriptions of a shard are served in the order of these. */
  number: number
  shard: number
  due: number
  maxInFlight?: number
  state?: string
  notBefore?: Date
  deletedAt?: Date
}

async function subscribe({ number, shard, due, maxInFlight = 10, ...rest }: Wanted): Promise<string> {
  const id = `01900000-0000-7000-8000-00${number.toString(16).padStart(8, '0')}${shard.toString(16).padStart(2, '0')}`
  await db.prisma.subscription.create({
    data: {
      id,
      tenantId: 'acme',
      url: 'http://127.0.0.1/',
      eventTypes: ['*'],
      shard,
      maxInFlight,
      timeoutMs: 5_000,
      ...rest,
    },
  })
  await db.prisma.backlog.createMany({
    data: Array.from({ length: due }, () => ({
      deliveryId: newUuid(world),
      tenantId: 'acme',
      eventId,
      subscriptionId: id,
      shard,
      nextAttemptAt: new Date(0),
    })),
  })
  return id
}
