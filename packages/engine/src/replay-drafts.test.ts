import { randomBytes } from 'node:crypto'
import { formatId, type ReplayState } from '@posthorn/contract'
import { afterAll, beforeEach, expect, test } from 'vitest'
import { type Database, openDatabase } from './db/database.ts'
import { poolTransaction } from './db/pool-transaction.ts'
import { deleteReplayItems } from './db/sql/delete-replay-items.ts'
import { expireDrafts } from './db/sql/expire-drafts.ts'
import { runReplay } from './db/sql/run-replay.ts'
import { expireOldDrafts } from './replay-drafts.ts'
import { moveReplay } from './replays.ts'
import { createTestDatabase, type TestDatabase } from './testing/index.ts'
import { newUuid } from './world.ts'

const world = { now: () => Date.now(), randomBytes: (size: number) => randomBytes(size) }
const longAgo = new Date(Date.now() - 60_000)
const later = new Date(Date.now() + 3_600_000)

let database: TestDatabase | undefined
let db: Database
async function close() {
  if (database === undefined) return
  await db[Symbol.asyncDispose]()
  await database[Symbol.asyncDispose]()
}
beforeEach(async () => {
  await close()
  database = await createTestDatabase()
  db = openDatabase({ url: database.url, poolSize: 4 })
})
afterAll(close)

/** A replay with so many items that wait, or were canceled with it. */
async function store(expiresAt: Date, state: ReplayState = 'draft', items = 25): Promise<string> {
  const id = newUuid(world)
  const isFinal = state === 'canceled' || state === 'completed'
  const item = isFinal ? { outcome: 'canceled', finishedAt: new Date() } : {}
  await db.prisma.replay.create({
    data: {
      ...{ id, filter: {}, actor: 'staff:ada', until: new Date(), itemCount: items, state, expiresAt },
      finishedAt: isFinal ? new Date() : null,
      items: {
        create: Array.from({ length: items }, () => {
          return { deliveryId: newUuid(world), tenantId: 'acme', subscriptionId: newUuid(world), ...item }
        }),
      },
    },
  })
  return id
}

/** The state of each replay, and how many items it has. */
async function stateOf(id: string) {
  const { state, finishedAt, hasItems, itemCount } = await db.prisma.replay.findUniqueOrThrow({ where: { id } })
  const items = await db.prisma.replayItem.count({ where: { replayId: id } })
  return { state, isFinished: finishedAt !== null, hasItems, itemCount, items }
}

test('a draft that nobody ran in time expires, its items go in portions, and no other replay is touched', async () => {
  const old = await store(longAgo)
  const empty = await store(longAgo, 'draft', 0)
  const others = await Promise.all([
    store(later),
    store(longAgo, 'running'),
    store(longAgo, 'paused'),
    store(longAgo, 'canceled'),
  ])
  const before = await Promise.all(others.map(stateOf))
  expect(await expireOldDrafts(db, { itemsPerStatement: 10 })).toBe(2)
  const expired = { state: 'expired', isFinished: true, hasItems: false, items: 0 }
  // What was counted stays, as what somebody once looked at.
  expect(await stateOf(old)).toEqual({ ...expired, itemCount: 25 })
  expect(await stateOf(empty)).toEqual({ ...expired, itemCount: 0 })
  expect(await Promise.all(others.map(stateOf))).toEqual(before)
  expect(await expireOldDrafts(db)).toBe(0)
})

test('what a killed run leaves is ended by the next one, wherever it was killed', async () => {
  const ids = [await store(longAgo), await store(longAgo)]
  await expireDrafts(db.pool, 1)
  expect((await Promise.all(ids.map(stateOf))).map(({ state }) => state).toSorted()).toEqual(['draft', 'expired'])
  for (const id of ids) await deleteReplayItems(db.pool, id, 10)
  // Only what has expired loses items.
  expect((await Promise.all(ids.map(stateOf))).map(({ items }) => items).toSorted()).toEqual([15, 25])
  expect(await expireOldDrafts(db, { itemsPerStatement: 15 })).toBe(1)
  for (const id of ids) expect(await stateOf(id)).toMatchObject({ state: 'expired', hasItems: false, items: 0 })
})

test('two runs at once end each draft once, and whoever dies with the last items in hand leaves them to be found', async () => {
  const ids = await Promise.all(Array.from({ length: 12 }, () => store(longAgo, 'draft', 5)))
  const counts = await Promise.all([1, 2, 3].map(() => expireOldDrafts(db, { itemsPerStatement: 2 })))
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(12)
  for (const id of ids) expect(await stateOf(id)).toMatchObject({ state: 'expired', items: 0 })

  const last = await store(longAgo)
  const killed = poolTransaction(db, async (runner) => {
    await expireDrafts(runner, 1)
    await runner.query('commit')
    await runner.query('begin')
    expect(await deleteReplayItems(runner, last, 100)).toBe(25)
    // Another one comes by meanwhile: it sees the items, cannot have them, and must not say that they are gone.
    await expireOldDrafts(db)
    throw new RangeError('killed')
  })
  await expect(killed).rejects.toThrow('killed')
  expect(await stateOf(last)).toMatchObject({ state: 'expired', hasItems: true, items: 25 })
  await expireOldDrafts(db)
  expect(await stateOf(last)).toMatchObject({ hasItems: false, items: 0 })
})

test('a draft that is being run when its time ends is run: the job passes it by', async () => {
  const id = await store(later)
  await poolTransaction(db, async (runner) => {
    await endNow(runner, id)
    expect(await runReplay(runner, id, ['draft'])).toBe(true)
    expect(await expireOldDrafts(db)).toBe(0)
  })
  expect(await expireOldDrafts(db)).toBe(0)
  expect(await stateOf(id)).toMatchObject({ state: 'running', items: 25 })
})

test('a draft that is expiring when it is run has expired: who runs it waits, and is told', async () => {
  const id = await store(later)
  const [expiring, running] = [Promise.withResolvers<void>(), Promise.withResolvers<boolean>()]
  await poolTransaction(db, async (runner) => {
    // This transaction is older than the end of the draft, so by its own time it may still run it.
    await endNow(runner, id)
    const done = poolTransaction(db, async (other) => {
      expect(await expireDrafts(other, 10)).toBe(1)
      expiring.resolve()
      await isWaitedFor()
    })
    await expiring.promise
    running.resolve(await runReplay(runner, id, ['draft']))
    await done
  })
  expect(await running.promise).toBe(false)
  expect(await stateOf(id)).toMatchObject({ state: 'expired' })
})

test('one whose time is over is refused, and says to make a new one, whether or not the job has come by', async () => {
  const id = await store(longAgo)
  const run = () => moveReplay({ db }, 'run', { id, within: undefined })
  const refusal = { code: 'replay_expired', message: expect.stringContaining('Draft a new one') }
  await expect(run()).rejects.toMatchObject(refusal)
  expect(await stateOf(id)).toMatchObject({ state: 'draft', items: 25 })
  await expireOldDrafts(db)
  await expect(run()).rejects.toMatchObject(refusal)
  for (const move of ['pause', 'resume', 'cancel'] as const) {
    const moved = moveReplay({ db }, move, { id, within: undefined })
    await expect(moved).rejects.toMatchObject({ code: 'replay_state_conflict' })
  }
  const foreign = moveReplay({ db }, 'run', { id, within: 'globex' })
  await expect(foreign).rejects.toMatchObject({
    code: 'replay_not_found',
    message: expect.stringContaining(formatId('replay', id)),
  })
})

/** Lets the time of a draft end now: after this transaction began, and before whatever begins next. */
async function endNow(runner: Parameters<Parameters<typeof poolTransaction>[1]>[0], id: string): Promise<void> {
  const { rows } = await runner.query<{ now: Date }>('select now()')
  const expiresAt = new Date((rows[0]?.now.getTime() ?? 0) + 2)
  await db.prisma.replay.update({ where: { id }, data: { expiresAt } })
  for (let isOver = false; !isOver; ) {
    const found = await db.pool.query('select from replay where id = $1 and expires_at <= now()', [id])
    isOver = found.rowCount === 1
  }
}

/** Resolves when somebody waits for a lock of this database. */
async function isWaitedFor(): Promise<void> {
  for (let waits = 0; waits === 0; ) {
    const { rowCount } = await db.pool.query(
      "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
    )
    waits = rowCount ?? 0
  }
}
