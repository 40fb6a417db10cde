import { randomBytes } from 'node:crypto'
import {
  type Claim,
  createAscendingIds,
  type Database,
  newUuid,
  openDatabase,
  shardCount,
  type World,
} from '@posthorn/engine'
import { createTestDatabase, type TestDatabase } from '@posthorn/engine/testing'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { createTurns, type Turns } from './claiming.ts'

const world: World = { now: () => Date.now(), randomBytes: (count) => randomBytes(count) }
const allShards = Array.from({ length: shardCount }, (_, shard) => shard)

let database: TestDatabase
let db: Database
let eventId: string

beforeAll(async () => {
  database = await createTestDatabase()
  db = openDatabase({ url: database.url, poolSize: 5 })
  eventId = newUuid(world)
  await db.prisma.tenant.createMany({ data: [{ id: 'acme' }, { id: 'globex' }, { id: 'initech' }] })
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
  const turns = turnsOf()
  expect(await turns.claim([7], 8)).toHaveLength(8)
  const other = await subscribe({ number: 2, shard: 7, due: 1 })
  turns.hear([7])
  const next = await turns.claim([7], 8)
  expect(next.map((claim) => claim.subscriptionId)).toContain(other)
})

test('the subscriptions of a shard take turns, and none gives more than a few at once', async () => {
  const ids: string[] = []
  for (const number of [1, 2, 3, 4]) ids.push(await subscribe({ number, shard: 3, due: 100, maxInFlight: 1_000 }))
  const turns = turnsOf()
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
  const turns = turnsOf()
  const served: string[] = []
  for (let turn = 0; turn < 90; turn += 1)
    served.push(...(await turns.claim(allShards, 1)).map((claim) => claim.subscriptionId))
  expect(ids.map((id) => served.filter((one) => one === id).length)).toEqual([30, 30, 30])
})

test('when a rush in all shards is over, new work in any of them is found by the next claim', async () => {
  for (const shard of allShards) await subscribe({ number: 9, shard, due: 2, maxInFlight: 1_000 })
  const turns = turnsOf()
  let claimed = 0
  // Turns that are full end in the middle of their shards.
  while (claimed < 2 * shardCount) claimed += (await turns.claim(allShards, 16)).length
  // Before the places where the looks ended, in every shard.
  const early: string[] = []
  for (const shard of allShards) early.push(await subscribe({ number: 1, shard, due: 1 }))
  turns.hear(allShards)
  const found = await turns.claim(allShards, 2 * shardCount)
  expect(found.map((claim) => claim.subscriptionId).sort()).toEqual(early.sort())
})

test('subscriptions that may get nothing now do not hide one that may, however many they are', async () => {
  for (let number = 1; number <= 150; number += 1)
    await subscribe({ number, shard: 5, due: 1, notBefore: new Date(Date.now() + 3_600_000) })
  for (let number = 151; number <= 200; number += 1) await subscribe({ number, shard: 5, due: 1, state: 'paused' })
  const active = await subscribe({ number: 201, shard: 5, due: 1 })
  const claims = await turnsOf().claim(allShards, 32)
  expect(claims.map((claim) => claim.subscriptionId)).toEqual([active])
})

test('no more of a subscription are in flight than it allows, and one that ended makes room for one', async () => {
  await subscribe({ number: 1, shard: 2, due: 10, maxInFlight: 3 })
  const turns = turnsOf()
  const first = await turns.claim([2], 100)
  expect(first).toHaveLength(3)
  expect(await turns.claim([2], 100)).toEqual([])
  expect(first.slice(0, 1).map((claim) => turns.ended(claim))).toEqual([true])
  expect(await turns.claim([2], 100)).toHaveLength(1)
  expect(await turns.claim([2], 100)).toEqual([])
})

test('a subscription that gave all it had says so when one of its attempts ends', async () => {
  await subscribe({ number: 1, shard: 2, due: 2, maxInFlight: 10 })
  const turns = turnsOf()
  const claims = await turns.claim([2], 100)
  expect(claims.map((claim) => turns.ended(claim))).toEqual([false, false])
})

test('nothing is claimed of other shards, of inactive subscriptions, and of what is not due', async () => {
  await subscribe({ number: 1, shard: 1, due: 1 })
  await subscribe({ number: 1, shard: 2, due: 1, state: 'paused' })
  await subscribe({ number: 2, shard: 2, due: 1, deletedAt: new Date() })
  await subscribe({ number: 3, shard: 2, due: 1, notBefore: new Date(Date.now() + 60_000) })
  await db.pool.query(`update backlog set ready = false where shard = 1`)
  const turns = turnsOf()
  expect(await turns.claim([1, 2, 3], 100)).toEqual([])
  expect(await turns.claim([], 100)).toEqual([])
})

test('without a hint a newcomer is found after a second, although others fill all slots', async () => {
  await subscribe({ number: 1, shard: 7, due: 1_000, maxInFlight: 1_000 })
  let nowMs = 0
  const turns = turnsOf({ nowMs: () => nowMs })
  expect(await turns.claim(allShards, 8)).toHaveLength(8)
  const other = await subscribe({ number: 2, shard: 63, due: 1 })
  const claimed: string[] = []
  // While slots are filled by what is known, only some shards are looked at for each claim.
  nowMs = 1_000
  for (let turn = 0; turn < 16; turn += 1)
    claimed.push(...(await turns.claim(allShards, 8)).map((claim) => claim.subscriptionId))
  expect(claimed).toHaveLength(128)
  expect(claimed).toContain(other)
})

test('work of a subscription that a publisher tells of is claimed without a look, also when it comes during a claim', async () => {
  const first = await subscribe({ number: 1, shard: 1, due: 2 })
  const turns = turnsOf()
  expect(await turns.claim([1, 2], 10)).toHaveLength(2)
  const told = { tenantId: 'acme', maxInFlight: 10, ratePerSecond: null, ordered: false }
  const second = await subscribe({ number: 2, shard: 2, due: 1 })
  // Shards that are not owned here are nobody's business.
  turns.hearOf([
    { ...told, subscriptionId: second, shard: 2 },
    { ...told, subscriptionId: first, shard: 3 },
  ])
  const claiming = turns.claim([1, 2], 10)
  turns.hearOf([{ ...told, subscriptionId: second, shard: 2 }])
  expect((await claiming).map((claim) => claim.subscriptionId)).toEqual([second])
  await owe(second, { shard: 2, due: 1 })
  // It was told of before the claim found nothing more of it.
  expect(await turns.claim([1, 2], 10)).toHaveLength(1)
})

test('a claim does not pass again what was claimed before and cannot be cleaned up while a transaction is held open', async () => {
  const id = await subscribe({ number: 1, shard: 7, due: 0, maxInFlight: 1_000 })
  const held = await db.pool.connect()
  const session = await db.pool.connect()
  const turns = turnsOf({ pool: session })
  try {
    await held.query('begin isolation level repeatable read')
    await held.query('select txid_current()')
    await owe(id, { shard: 7, due: 3_000, dueAt: new Date('2026-11-23T10:00:00Z') })
    await owe(id, { shard: 7, due: 1_000, dueAt: new Date('2026-11-23T10:01:00Z') })
    let claimed = 0
    const claim = async (): Promise<void> => {
      const claims = await turns.claim([7], 16)
      for (const one of claims) turns.ended(one)
      claimed += claims.length
    }
    while (claimed < 3_500) await claim()
    const passed: number[] = []
    while (claimed < 4_000) {
      const before = await entriesPassed(session)
      await claim()
      passed.push((await entriesPassed(session)) - before)
    }
    expect(passed).not.toEqual([])
    // No more than those that became due with what it takes, and none of the 3,000 before them.
    expect(Math.max(...passed)).toBeLessThanOrEqual(1_000)
  } finally {
    await held.query('rollback')
    held.release()
    session.release()
  }
})

test('what becomes due behind what was claimed already is claimed within five seconds, and so is all that follows it', async () => {
  const id = await subscribe({ number: 1, shard: 7, due: 0, maxInFlight: 1_000 })
  let nowMs = 0
  const turns = turnsOf({ nowMs: () => nowMs })
  await owe(id, { shard: 7, due: 1, dueAt: new Date('2026-11-23T10:00:00Z') })
  expect(await turns.claim([7], 8)).toHaveLength(1)
  await owe(id, { shard: 7, due: 24, dueAt: new Date('2026-11-23T09:00:00Z') })
  await owe(id, { shard: 7, due: 1, dueAt: new Date('2026-11-23T10:00:01Z') })
  turns.hear([7])
  expect(await turns.claim([7], 8)).toHaveLength(1)
  nowMs = 5_000
  // Those that have waited longest, all of them, without waiting again.
  for (let turn = 0; turn < 3; turn += 1) expect(await turns.claim([7], 8)).toHaveLength(8)
})

test('what is woken behind what was claimed already is claimed at once, also when it is woken during a claim', async () => {
  const id = await subscribe({ number: 1, shard: 7, due: 0, maxInFlight: 1_000 })
  const turns = turnsOf({ nowMs: () => 0 })
  await owe(id, { shard: 7, due: 2, dueAt: new Date('2026-11-23T10:00:00Z') })
  expect(await turns.claim([7], 1)).toHaveLength(1)
  const wokenAt = new Date('2026-11-23T09:00:00Z')
  await owe(id, { shard: 7, due: 1, dueAt: wokenAt })
  turns.hearWoken([{ shard: 7, dueFrom: wokenAt }])
  expect(await turns.claim([7], 1)).toHaveLength(1)
  const during = turns.claim([7], 1)
  turns.hearWoken([{ shard: 7, dueFrom: wokenAt }])
  expect(await during).toHaveLength(1)
  await owe(id, { shard: 7, due: 1, dueAt: wokenAt })
  turns.hear([7])
  expect(await turns.claim([7], 1)).toHaveLength(1)
})

test('what was stored by a transaction that others have overtaken is claimed with the next claim', async () => {
  const id = await subscribe({ number: 1, shard: 7, due: 0, maxInFlight: 1_000 })
  const turns = turnsOf({ nowMs: () => 0 })
  await owe(id, { shard: 7, due: 1, dueAt: new Date('2026-11-23T10:00:04Z') })
  expect(await turns.claim([7], 8)).toHaveLength(1)
  await owe(id, { shard: 7, due: 1, dueAt: new Date('2026-11-23T10:00:00Z') })
  turns.hear([7])
  expect(await turns.claim([7], 8)).toHaveLength(1)
})

test('what was claimed before the database fails is not forgotten: it is sent, and its slots become free again', async () => {
  const many = await subscribe({ number: 1, shard: 1, due: 16, maxInFlight: 1_000 })
  let failing = false
  let looks = 0
  const pool: Pick<Database['pool'], 'query'> = {
    query: ((statement: { name: string }) => {
      if (failing && statement.name === 'select-due-subscriptions') {
        looks += 1
        if (looks === 2) throw new Error('the database fails now')
      }
      return db.pool.query(statement as never)
    }) as never,
  }
  const turns = turnsOf({ slots: 100, pool })
  const shards = [1, 2, 3, 4, 5, 6, 7]
  expect(await turns.claim(shards, 8)).toHaveLength(8)
  // More was promised of it than there is, so others are looked for in two steps.
  await db.prisma.backlog.deleteMany({ where: { subscriptionId: many, leasedAt: null } })
  for (const shard of shards.slice(1)) await subscribe({ number: 2, shard, due: 1 })
  turns.hear(shards.slice(1))
  failing = true
  const claims = await turns.claim(shards, 8)
  expect([claims.length, looks]).toEqual([3, 2])
  expect(turns.free()).toBe(100 - 8 - 3)
  for (const claim of claims) turns.ended(claim)
  expect(turns.free()).toBe(100 - 8)
})

test('what is known to be due is claimed without a look, and a shard that is given away is forgotten', async () => {
  const here = await subscribe({ number: 1, shard: 1, due: 100, maxInFlight: 1_000 })
  const there = await subscribe({ number: 1, shard: 2, due: 100, maxInFlight: 1_000 })
  const turns = turnsOf()
  const first = await turns.claim([1, 2], 20)
  expect(new Set(first.map((claim) => claim.subscriptionId))).toEqual(new Set([here, there]))
  const next = await turns.claim([1], 20)
  expect(new Set(next.map((claim) => claim.subscriptionId))).toEqual(new Set([here]))
  // Taken back, it is looked at anew.
  const again = await turns.claim([1, 2], 20)
  expect(new Set(again.map((claim) => claim.subscriptionId))).toContain(there)
})

test('claims made at the same time for the same shards never take the same delivery', async () => {
  for (const shard of [1, 2, 3, 4]) await subscribe({ number: 1, shard, due: 250, maxInFlight: 1_000 })
  const dispatchers = Array.from({ length: 5 }, () => turnsOf())
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
  const left = await turnsOf().claim([1, 2, 3, 4], 1_000)
  expect(claims.length + left.length).toBe(1_000)
})

test('a claim leaves a lease behind that is longer than the attempt may take', async () => {
  const id = await subscribe({ number: 1, shard: 6, due: 1 })
  const [claim] = await turnsOf().claim([6], 1)
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

test('a tenant with a thousand busy subscriptions leaves the next slots to a tenant with one', async () => {
  for (const shard of allShards)
    for (const number of [1, 2, 3, 4]) await subscribe({ number, shard, due: 4, maxInFlight: 1_000 })
  const turns = turnsOf()
  expect(await turns.claim(allShards, 64)).toHaveLength(64)
  const small = await subscribe({ number: 9, shard: 33, due: 100, maxInFlight: 1_000, tenantId: 'globex' })
  turns.hear([33])
  const next = await turns.claim(allShards, 8)
  expect(next.map((claim) => claim.subscriptionId)).toEqual(next.map(() => small))
})

test('tenants that have work get equal parts of the slots, however many subscriptions they have and wherever they lie', async () => {
  for (const shard of allShards) await subscribe({ number: 1, shard, due: 20, maxInFlight: 1_000 })
  await subscribe({ number: 2, shard: 5, due: 500, maxInFlight: 1_000, tenantId: 'globex' })
  for (const number of [3, 4, 5])
    await subscribe({ number, shard: 60, due: 200, maxInFlight: 1_000, tenantId: 'initech' })
  const turns = turnsOf()
  const given = new Map<string, number>()
  for (let turn = 0; turn < 100; turn += 1) {
    const claims = await turns.claim(allShards, 6)
    expect(claims).toHaveLength(6)
    for (const { tenantId } of claims) given.set(tenantId, (given.get(tenantId) ?? 0) + 1)
  }
  for (const count of given.values()) expect(Math.abs(count - 200)).toBeLessThanOrEqual(6)
  expect(given.size).toBe(3)
})

test('a tenant alone gets every slot, and one that has little leaves the rest to the others', async () => {
  await subscribe({ number: 1, shard: 1, due: 100, maxInFlight: 1_000 })
  await subscribe({ number: 2, shard: 1, due: 100, maxInFlight: 1_000 })
  await subscribe({ number: 3, shard: 2, due: 2, maxInFlight: 1_000, tenantId: 'globex' })
  const claims = await turnsOf().claim(allShards, 30)
  // Sixteen of one subscription in a turn at the most, or half of the slots; the other tenant has two.
  expect(claims.filter(({ tenantId }) => tenantId === 'globex')).toHaveLength(2)
  expect(claims).toHaveLength(30)
})

test('every subscription of every tenant gets its turn, however few slots get free at a time', async () => {
  const ids: string[] = []
  for (const tenantId of ['acme', 'globex', 'initech'])
    for (const number of [1, 2, 3, 4, 5, 6, 7])
      ids.push(
        await subscribe({ number: number + 10 * tenantId.length, shard: 3, due: 20, maxInFlight: 1_000, tenantId }),
      )
  const turns = turnsOf()
  const served = new Map<string, number>()
  for (let turn = 0; turn < 6 * ids.length; turn += 1) {
    for (const claim of await turns.claim([3], 2)) {
      served.set(claim.subscriptionId, (served.get(claim.subscriptionId) ?? 0) + 1)
      turns.ended(claim)
    }
  }
  expect(served.size).toBe(ids.length)
  expect(Math.min(...served.values())).toBeGreaterThanOrEqual(6)
})

test('a limit by rate: a burst, then what the time that passes allows, and nothing is claimed beyond', async () => {
  const id = await subscribe({ number: 1, shard: 1, due: 100, maxInFlight: 1_000, rateLimitPerSecond: 40 })
  let nowMs = 0
  const turns = turnsOf({ nowMs: () => nowMs })
  expect(await turns.claim([1], 100)).toHaveLength(10)
  expect(turns.msUntilAllowed()).toBe(Number.POSITIVE_INFINITY)
  expect(await turns.claim([1], 100)).toEqual([])
  expect(turns.msUntilAllowed()).toBe(25)
  nowMs = 100
  expect(await turns.claim([1], 100)).toHaveLength(4)
  nowMs = 10_000
  expect(await turns.claim([1], 100)).toHaveLength(10)
  await db.prisma.subscription.update({ where: { id }, data: { rateLimitPerSecond: null } })
  expect(await turns.claim([1], 100)).toEqual([])
  // The next look learns of it.
  nowMs = 10_250
  expect(await turns.claim([1], 100)).toHaveLength(16)
  expect(await db.prisma.backlog.count({ where: { attemptNumber: 0 } })).toBe(60)
})

test('in the slow lane, subscriptions share a quarter of the slots in turns, and the others get the rest', async () => {
  const hanging = await Promise.all([1, 2, 3, 4, 5, 6].map((number) => subscribe({ number, shard: number, due: 20 })))
  let nowMs = 0
  const turns = turnsOf({ slots: 60, lateAfterMs: 2_000, nowMs: () => nowMs })
  const stuck = await turns.claim(allShards, turns.free())
  expect(stuck).toHaveLength(60)
  expect(turns.free()).toBe(0)
  nowMs = 2_000
  // Found to hang: what they hold beyond fifteen slots is lent to the others.
  expect(turns.free()).toBe(45)
  const healthy = await subscribe({ number: 9, shard: 9, due: 30, maxInFlight: 30 })
  const others = await turns.claim(allShards, turns.free())
  expect(others.map((claim) => claim.subscriptionId)).toEqual(others.map(() => healthy))
  expect(others.length).toBeGreaterThan(0)
  for (const claim of stuck) {
    turns.answered(claim, 'response_timeout')
    turns.ended(claim)
  }
  // Fifteen at a time, one of each in its turn.
  const slow: Claim[] = []
  for (const _turn of [1, 2, 3, 4]) slow.push(...(await turns.claim([1, 2, 3, 4, 5, 6], 60)))
  expect(slow).toHaveLength(15)
  const shares = hanging.map((id) => slow.filter((claim) => claim.subscriptionId === id).length)
  expect([Math.min(...shares), Math.max(...shares)]).toEqual([2, 3])
})

test('a subscription leaves the slow lane with the first event that is accepted in time', async () => {
  await subscribe({ number: 1, shard: 1, due: 40, maxInFlight: 20 })
  let nowMs = 0
  const turns = turnsOf({ slots: 8, lateAfterMs: 2_000, nowMs: () => nowMs })
  const late = await turns.claim([1], 8)
  nowMs = 3_000
  expect(turns.free()).toBe(6)
  for (const claim of late) turns.ended(claim)
  const [first, second] = [...(await turns.claim([1], 8)), ...(await turns.claim([1], 8))]
  expect(await turns.claim([1], 8)).toEqual([])
  if (first === undefined || second === undefined) throw new Error('The lane has room for two')
  // An answer that refuses is no reason to trust it again; one that comes late is none either.
  turns.answered(first, 'http_5xx')
  turns.ended(first)
  expect(await turns.claim([1], 8)).toHaveLength(1)
  turns.answered(second, null)
  turns.ended(second)
  expect(await turns.claim([1], 8)).toHaveLength(8)
})

test('of an ordered subscription the oldest delivery is claimed, and none while that one waits or is in flight', async () => {
  const id = await subscribe({ number: 1, shard: 4, due: 5, ordered: true })
  const ids = (await db.prisma.backlog.findMany({ orderBy: { deliveryId: 'asc' } })).map((row) => row.deliveryId)
  // The order in which they are due says nothing.
  await db.prisma.backlog.update({ where: { deliveryId: ids[0] ?? '' }, data: { nextAttemptAt: new Date(9_000) } })
  const turns = turnsOf()
  const [head, ...more] = await turns.claim([4], 10)
  expect([head?.deliveryId, more]).toEqual([ids[0], []])
  expect(await turns.claim([4], 10)).toEqual([])
  if (head !== undefined) turns.ended(head)
  expect(await turnsOf().claim([4], 10)).toEqual([])
  await db.prisma.backlog.delete({ where: { deliveryId: ids[0] ?? '' } })
  await db.prisma.subscription.update({ where: { id }, data: { releasing: true } })
  turns.hear([4])
  expect(await turns.claim([4], 10)).toEqual([])
  await db.prisma.subscription.update({ where: { id }, data: { releasing: false } })
  turns.hear([4])
  expect((await turns.claim([4], 10)).map((claim) => claim.deliveryId)).toEqual([ids[1]])
})

test('several who claim at once never take the second delivery of an ordered subscription before the first is done', async () => {
  await subscribe({ number: 1, shard: 4, due: 30, ordered: true })
  const ids = (await db.prisma.backlog.findMany({ orderBy: { deliveryId: 'asc' } })).map((row) => row.deliveryId)
  const dispatchers = [turnsOf(), turnsOf(), turnsOf(), turnsOf()]
  const claimed: string[] = []
  while (claimed.length < ids.length) {
    const claims = (await Promise.all(dispatchers.map((turns) => turns.claim([4], 5)))).flat()
    expect(claims.length).toBeLessThanOrEqual(1)
    for (const claim of claims) {
      claimed.push(claim.deliveryId)
      for (const turns of dispatchers) turns.ended(claim)
      await db.prisma.backlog.delete({ where: { deliveryId: claim.deliveryId } })
    }
  }
  expect(claimed).toEqual(ids)
})

test('of a subscription with an open breaker nothing is claimed before its probe is due, and then one delivery', async () => {
  const breaker = { breakerOpenedAt: new Date(), breakerFailedProbes: 2 }
  const id = await subscribe({
    number: 1,
    shard: 4,
    due: 10,
    ...breaker,
    breakerProbeAt: new Date(Date.now() + 60_000),
  })
  const turns = turnsOf()
  expect(await turns.claim([4], 10)).toEqual([])
  await db.prisma.subscription.update({ where: { id }, data: { breakerProbeAt: new Date(0) } })
  turns.hear([4])
  const probes = await turns.claim([4], 10)
  expect(probes.map((claim) => claim.failedProbes)).toEqual([2])
  turns.hear([4])
  expect(await turns.claim([4], 10)).toEqual([])
  for (const claim of probes) turns.ended(claim)
  await db.prisma.subscription.update({ where: { id }, data: { breakerOpenedAt: null, breakerProbeAt: null } })
  turns.hear([4])
  expect((await turns.claim([4], 10)).map((claim) => claim.failedProbes)).toEqual(Array(9).fill(null))
})

test('an open breaker holds back nothing that a person asked for, however much else waits before it', async () => {
  const breaker = { breakerOpenedAt: new Date(), breakerProbeAt: new Date(Date.now() + 60_000) }
  const id = await subscribe({ number: 1, shard: 4, due: 200, ...breaker })
  const [asked] = await db.prisma.backlog.findMany({ orderBy: { deliveryId: 'desc' }, take: 1 })
  const deliveryId = asked?.deliveryId ?? ''
  await db.prisma.backlog.update({ where: { deliveryId }, data: { trigger: 'resend', nextAttemptAt: new Date() } })
  const turns = turnsOf()
  const claims = await turns.claim([4], 10)
  expect(claims.map((claim) => [claim.subscriptionId, claim.deliveryId, claim.failedProbes])).toEqual([
    [id, deliveryId, null],
  ])
  turns.hear([4])
  expect(await turns.claim([4], 10)).toEqual([])
})

test.each([true, false])(
  'while a receiver has asked for a pause it is sent what a person resends, one at a time, and no replay (ordered: %s)',
  async (ordered) => {
    const id = await subscribe({ number: 1, shard: 4, due: 5, ordered, notBefore: new Date(Date.now() + 60_000) })
    const ids = (await db.prisma.backlog.findMany({ orderBy: { deliveryId: 'asc' } })).map((row) => row.deliveryId)
    const ask = (deliveryId = '', trigger = 'resend') =>
      db.prisma.backlog.update({ where: { deliveryId }, data: { trigger } })
    const turns = turnsOf()
    expect(await turns.claim([4], 10)).toEqual([])
    await ask(ids[0], 'replay')
    turns.hear([4])
    expect(await turns.claim([4], 10)).toEqual([])
    await ask(ids[0])
    await ask(ids[1])
    turns.hear([4])
    const claims = await turns.claim([4], 10)
    expect(claims.map((claim) => [claim.subscriptionId, ids.indexOf(claim.deliveryId)])).toEqual([[id, 0]])
  },
)

test('the head of an ordered subscription with an open breaker is claimed when a person asked for it, and only then', async () => {
  const breaker = { breakerOpenedAt: new Date(), breakerProbeAt: new Date(Date.now() + 60_000) }
  await subscribe({ number: 1, shard: 4, due: 3, ordered: true, ...breaker })
  const [head, second] = (await db.prisma.backlog.findMany({ orderBy: { deliveryId: 'asc' } })).map(
    (row) => row.deliveryId,
  )
  const turns = turnsOf()
  const ask = (deliveryId = '') => db.prisma.backlog.update({ where: { deliveryId }, data: { trigger: 'resend' } })
  await ask(second)
  expect(await turns.claim([4], 10)).toEqual([])
  await ask(head)
  turns.hear([4])
  expect((await turns.claim([4], 10)).map((claim) => claim.deliveryId)).toEqual([head])
})

test('while an attempt decides whether the breaker opens, nothing more of its subscription is claimed', async () => {
  await subscribe({ number: 1, shard: 4, due: 30, maxInFlight: 1_000 })
  const turns = turnsOf()
  const [first] = await turns.claim([4], 1)
  if (first === undefined) throw new Error('Nothing was claimed')
  turns.holdBack(first)
  expect(await turns.claim([4], 10)).toEqual([])
  turns.ended(first)
  expect(await turns.claim([4], 10)).toHaveLength(10)
})

function turnsOf({
  slots = 10_000,
  lateAfterMs = 60_000,
  nowMs = (): number => 0,
  pool = db.pool as Pick<Database['pool'], 'query'>,
} = {}): Turns {
  return createTurns({
    db: { ...db, pool: pool as Database['pool'] },
    world,
    slots,
    lateAfterMs,
    monotonicMs: nowMs,
    telemetry: () => undefined,
  })
}

type Wanted = {
  /** Subscriptions of a shard are served in the order of these. */
  number: number
  shard: number
  due: number
  maxInFlight?: number
  state?: string
  notBefore?: Date
  deletedAt?: Date
  rateLimitPerSecond?: number
  ordered?: boolean
  tenantId?: string
  breakerOpenedAt?: Date
  breakerProbeAt?: Date
  breakerFailedProbes?: number
}

async function subscribe({
  number,
  shard,
  due,
  maxInFlight = 10,
  tenantId = 'acme',
  ...rest
}: Wanted): Promise<string> {
  const id = `01900000-0000-7000-8000-00${number.toString(16).padStart(8, '0')}${shard.toString(16).padStart(2, '0')}`
  await db.prisma.subscription.create({
    data: {
      id,
      tenantId,
      url: 'http://127.0.0.1/',
      eventTypes: ['*'],
      shard,
      maxInFlight,
      timeoutMs: 5_000,
      ...rest,
    },
  })
  await owe(id, { shard, due, tenantId })
  return id
}

/** Deliveries of a subscription that are due. */
async function owe(
  subscriptionId: string,
  { shard, due, tenantId = 'acme', dueAt = new Date(0) }: Pick<Wanted, 'shard' | 'due' | 'tenantId'> & { dueAt?: Date },
): Promise<void> {
  const ids = createAscendingIds(world)
  await db.prisma.backlog.createMany({
    data: Array.from({ length: due }, () => ({
      deliveryId: ids(),
      tenantId,
      eventId,
      subscriptionId,
      shard,
      nextAttemptAt: dueAt,
    })),
  })
}

/** Entries of the index of what is due that this session, and all others that ended, have passed so far. */
async function entriesPassed(session: Pick<Database['pool'], 'query'>): Promise<number> {
  await session.query('select pg_stat_force_next_flush()')
  const { rows } = await session.query<{ entries: number }>(`
    select idx_tup_read::float8 as entries from pg_stat_user_indexes where indexrelname = 'backlog_ready_idx'`)
  return rows[0]?.entries ?? 0
}
