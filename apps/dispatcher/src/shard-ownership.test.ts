import { randomBytes } from 'node:crypto'
import {
  type Database,
  giveSignOfLife,
  newUuid,
  type Occurrence,
  openDatabase,
  openJobs,
  shardCount,
} from '@posthorn/engine'
import { createTestDatabase } from '@posthorn/engine/testing'
import { expect, test } from 'vitest'
import { createOwnership, type Ownership } from './shard-ownership.ts'

const hourMs = 3_600_000
const allShards = Array.from({ length: shardCount }, (_, shard) => shard)

type Member = Ownership & {
  told: Occurrence[]
  busy: Set<number>
  passHours(hours: number): void
  /** The connection that shows that it lives breaks, as when its process is killed. */
  fallSilent(): Promise<void>
  connectAgain(): Promise<void>
}

/** A connection of its own. */
type Session = Parameters<typeof giveSignOfLife>[0] & { release(destroy: boolean): void }

/** Dispatchers, as far as ownership goes, over one database. */
async function startTown(): Promise<AsyncDisposable & { db: Database; join(): Promise<Member> }> {
  const stack = new AsyncDisposableStack()
  const database = stack.use(await createTestDatabase())
  const db = stack.use(openDatabase({ url: database.url, poolSize: 8 }))
  const jobs = stack.use(await openJobs({ url: database.url, mode: 'send', onError: () => undefined }))
  return {
    db,
    async join() {
      const dispatcherId = newUuid({ now: () => Date.now(), randomBytes })
      let life: Session | undefined
      async function connectAgain(): Promise<void> {
        life = await db.pool.connect()
        await giveSignOfLife(life, dispatcherId)
      }
      await connectAgain()
      stack.defer(() => life?.release(true))
      const told: Occurrence[] = []
      const busy = new Set<number>()
      let clockMs = 0
      const ownership = createOwnership({
        db,
        jobs,
        telemetry: (occurrence) => told.push(occurrence),
        dispatcherId,
        monotonicMs: () => clockMs,
        busyShards: () => busy,
      })
      return {
        ...ownership,
        told,
        busy,
        passHours: (hours) => (clockMs += hours * hourMs),
        connectAgain,
        async fallSilent() {
          life?.release(true)
          life = undefined
          await expect.poll(() => livingSessions(db, dispatcherId)).toBe(0)
        },
      }
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

test('the first dispatcher owns every shard after its first round, and says so', async () => {
  await using town = await startTown()
  const one = await town.join()
  expect(one.shards()).toEqual([])
  await one.round()
  expect(one.shards()).toEqual(allShards)
  expect(one.told).toEqual([{ what: 'shards_owned', shards: allShards }])
  await one.round()
  expect(one.told).toHaveLength(1)
  expect(one.owns(0) && one.owns(63) && !one.owns(64)).toBe(true)
})

test('dispatchers that join get an equal share each, and no shard is ever owned by two', async () => {
  await using town = await startTown()
  const members: Member[] = []
  for (const expected of [[64], [32, 32], [20, 22, 22], [16, 16, 16, 16]]) {
    members.push(await town.join())
    // Those who have too much give it back first, then those who have too little take it.
    for (const _round of [1, 2]) for (const member of members) await oneRound(members, member)
    expect(members.map((member) => member.shards().length).sort()).toEqual(expected)
  }
})

test('of what is too much, the idle shards are given back at once, and the busy ones when they are idle', async () => {
  await using town = await startTown()
  const [one, two] = [await town.join(), await town.join()]
  await one.round()
  for (let shard = 0; shard < 40; shard += 1) one.busy.add(shard)
  await two.round()
  expect(await one.round()).toBe(true)
  expect(one.shards()).toHaveLength(32)
  expect(one.shards().every((shard) => one.busy.has(shard))).toBe(true)
  await oneRound([one, two], two)
  expect(two.shards()).toEqual(allShards.slice(40))
  // Nothing more is claimed in those that leave, so their attempts come to an end.
  for (const shard of [...one.busy]) if (!one.owns(shard)) one.busy.delete(shard)
  expect(await one.round()).toBe(false)
  await oneRound([one, two], two)
  expect([one.shards().length, two.shards().length]).toEqual([32, 32])
})

test('a busy shard that was to leave is kept when the other dispatcher has left', async () => {
  await using town = await startTown()
  const [one, two] = [await town.join(), await town.join()]
  await one.round()
  for (const shard of allShards) one.busy.add(shard)
  await two.round()
  expect(await one.round()).toBe(true)
  expect(one.shards()).toHaveLength(32)
  await two.release()
  expect(await one.round()).toBe(false)
  expect(one.shards()).toEqual(allShards)
})

test('a dispatcher that leaves gives everything back at once, and the others take it in their next round', async () => {
  await using town = await startTown()
  const [one, two] = [await town.join(), await town.join()]
  for (const member of [one, two, one, two]) await oneRound([one, two], member)
  expect(two.shards()).toHaveLength(32)
  await two.release()
  expect(two.shards()).toEqual([])
  await one.round()
  expect(one.shards()).toEqual(allShards)
})

test('the shards of a dispatcher that is not heard of are not taken before its heartbeats are missed', async () => {
  await using town = await startTown()
  const [dead, other] = [await town.join(), await town.join()]
  await dead.round()
  await other.round()
  expect(other.shards()).toEqual([])
  // Half a minute without a word, as the supervision of the queue sees it.
  await town.db.pool.query(`update dispatcher set heartbeat_at = heartbeat_at - interval '30 seconds'`)
  await town.db.pool.query(
    `update pgboss.job set state = 'retry', retry_count = retry_count + 1 where state = 'active'`,
  )
  await other.round()
  expect(other.shards()).toEqual(allShards)
})

test('a dispatcher that was thought dead finds out in its next round that its shards are others’', async () => {
  await using town = await startTown()
  const [stalled, other] = [await town.join(), await town.join()]
  await stalled.round()
  await town.db.pool.query(`update dispatcher set heartbeat_at = heartbeat_at - interval '30 seconds'`)
  await town.db.pool.query(
    `update pgboss.job set state = 'retry', retry_count = retry_count + 1 where state = 'active'`,
  )
  await other.round()
  await stalled.round()
  expect(stalled.shards()).toEqual([])
  await oneRound([stalled, other], other)
  await oneRound([stalled, other], stalled)
  expect([stalled.shards().length, other.shards().length]).toEqual([32, 32])
})

test('jobs are renewed long before the queue would end them, and the shards are not lost by it', async () => {
  await using town = await startTown()
  const one = await town.join()
  await one.round()
  const before = await jobIds(town.db)
  one.passHours(5)
  await one.round()
  expect(await jobIds(town.db)).toEqual(before)
  one.passHours(2)
  await one.round()
  expect(one.shards()).toEqual(allShards)
  const after = await jobIds(town.db)
  expect(after).toHaveLength(shardCount)
  expect(after.filter((id) => before.includes(id))).toEqual([])
})

test('the shards of a dispatcher that was killed are taken as soon as it has been silent for a moment, long before its heartbeats are missed', async () => {
  await using town = await startTown()
  const [dead, other] = [await town.join(), await town.join()]
  await dead.round()
  await dead.fallSilent()
  expect(await other.round()).toBe(true)
  expect(other.shards()).toEqual([])
  other.passHours(1)
  await other.round()
  expect(other.shards()).toEqual(allShards)
  expect(await town.db.prisma.dispatcher.count()).toBe(1)
  expect(await other.round()).toBe(false)
})

test('of two who find a dispatcher dead, each gets its share of what it left', async () => {
  await using town = await startTown()
  const [dead, one, two] = [await town.join(), await town.join(), await town.join()]
  await dead.round()
  await dead.fallSilent()
  for (const member of [one, two]) {
    await member.round()
    member.passHours(1)
  }
  await Promise.all([one.round(), two.round()])
  for (const member of [one, two]) await oneRound([one, two], member)
  expect([one.shards().length, two.shards().length]).toEqual([32, 32])
})

test('a dispatcher whose connection breaks for a moment keeps its shards', async () => {
  await using town = await startTown()
  const [broken, other] = [await town.join(), await town.join()]
  await broken.round()
  await broken.fallSilent()
  await other.round()
  await broken.connectAgain()
  other.passHours(1)
  await broken.round()
  await oneRound([broken, other], other)
  await oneRound([broken, other], broken)
  expect(broken.shards()).toHaveLength(32)
  // It was not silent all the time, so the clock begins anew with the next silence.
  await broken.fallSilent()
  await other.round()
  expect(other.shards()).toHaveLength(32)
})

test('a living dispatcher that was taken for dead finds out, and both have their share in the end', async () => {
  await using town = await startTown()
  const [silent, other] = [await town.join(), await town.join()]
  await silent.round()
  await silent.fallSilent()
  await other.round()
  other.passHours(1)
  await other.round()
  expect(other.shards()).toEqual(allShards)
  await silent.connectAgain()
  await silent.round()
  expect(silent.shards()).toEqual([])
  await oneRound([silent, other], other)
  await oneRound([silent, other], silent)
  expect([silent.shards().length, other.shards().length]).toEqual([32, 32])
})

test('a dispatcher of a version that gives no sign of life is left to its heartbeats', async () => {
  await using town = await startTown()
  const [older, other] = [await town.join(), await town.join()]
  await older.round()
  await older.fallSilent()
  await town.db.pool.query('update dispatcher set shard_jobs = null')
  await other.round()
  other.passHours(1)
  await other.round()
  expect(other.shards()).toEqual([])
})

async function livingSessions(db: Database, dispatcherId: string): Promise<number> {
  const { rows } = await db.pool.query(
    `select 1 from pg_locks where locktype = 'advisory' and objid = (hashtext($1)::bigint & 4294967295)::oid
       and database = (select oid from pg_database where datname = current_database())`,
    [dispatcherId],
  )
  return rows.length
}

async function oneRound(members: readonly Member[], member: Member): Promise<void> {
  await member.round()
  const owned = members.flatMap((one) => one.shards())
  expect(new Set(owned).size).toBe(owned.length)
}

async function jobIds(db: Database): Promise<string[]> {
  const { rows } = await db.pool.query<{ id: string }>(
    `select id from pgboss.job where name = 'dispatch-shard' and state = 'active' order by id`,
  )
  return rows.map((row) => row.id)
}
