import { expect, test } from 'vitest'
import { type Database, openDatabase } from './db/database.ts'
import { createTestDatabase } from './testing/index.ts'
import { createWorkHints, listenForWork } from './work-hints.ts'

test('a hint reaches every listener, and hints that come close together are sent together', async () => {
  await using stack = new AsyncDisposableStack()
  const database = stack.use(await createTestDatabase())
  const db = stack.use(openDatabase({ url: database.url, poolSize: 2 }))
  const heard = [listen(stack, db), listen(stack, db)]
  await expect.poll(() => listeners(db)).toBe(2)
  const hints = createWorkHints(db)
  hints.tell([1])
  for (let shard = 2; shard <= 40; shard += 1) hints.tell([shard, shard])
  for (const { shards, calls } of heard) {
    await expect.poll(() => new Set(shards).size).toBe(40)
    expect(calls.length).toBe(2)
    expect(shards).toHaveLength(40)
  }
})

test('a listener whose connection breaks listens again by itself', async () => {
  await using stack = new AsyncDisposableStack()
  const database = stack.use(await createTestDatabase())
  const db = stack.use(openDatabase({ url: database.url, poolSize: 2 }))
  const { shards } = listen(stack, db)
  for (const shard of [7, 8]) {
    await expect.poll(() => listeners(db), { timeout: 5_000 }).toBe(1)
    createWorkHints(db).tell([shard])
    await expect.poll(() => shards).toContain(shard)
    // Until it is gone, it would be taken for the next one.
    await db.pool.query(`select pg_terminate_backend(pid, 5000) from pg_stat_activity where ${isListener}`)
  }
  await expect.poll(() => listeners(db), { timeout: 5_000 }).toBe(1)
})

test('a listener that is let go leaves no connection behind, whatever it was doing', async () => {
  await using stack = new AsyncDisposableStack()
  const database = stack.use(await createTestDatabase())
  const db = stack.use(openDatabase({ url: database.url, poolSize: 1 }))
  // At once, before the connection is made, and after.
  await listenForWork(db, () => undefined)[Symbol.asyncDispose]()
  const later = listenForWork(db, () => undefined)
  await expect.poll(() => listeners(db)).toBe(1)
  await later[Symbol.asyncDispose]()
  await expect.poll(() => listeners(db)).toBe(0)
})

const isListener = `datname = current_database() and application_name = 'posthorn-hints' and query like 'listen%'`

function listen(stack: AsyncDisposableStack, db: Database): { shards: number[]; calls: (readonly number[])[] } {
  const shards: number[] = []
  const calls: (readonly number[])[] = []
  stack.use(
    listenForWork(db, (some) => {
      calls.push(some)
      shards.push(...some)
    }),
  )
  return { shards, calls }
}

async function listeners(db: Database): Promise<number | undefined> {
  const { rows } = await db.pool.query<{ n: number }>(
    `select count(*)::int as n from pg_stat_activity where ${isListener}`,
  )
  return rows[0]?.n
}
