import { expect, test } from 'vitest'
import { createTestDatabase } from '../testing/index.ts'
import { startProxy } from '../testing/proxy.ts'
import { openDatabase } from './database.ts'
import { run } from './sql/statement.ts'

const one = { name: 'one', text: 'select 1 as one', values: [] }

test('a connection that falls silent is given up after a while, and the next statement takes a new one', async () => {
  await using stack = new AsyncDisposableStack()
  const database = stack.use(await createTestDatabase())
  const proxy = stack.use(await startProxy(database.url))
  const db = stack.use(openDatabase({ url: proxy.url, poolSize: 1, answerTimeoutMs: 500 }))
  expect(await run(db.pool, one)).toEqual([{ one: 1 }])
  proxy.fallSilent()
  await expect(run(db.pool, one)).rejects.toMatchObject({ code: 'database_unavailable' })
  // The machine answers again; the old connection never will.
  expect(await run(db.pool, one)).toEqual([{ one: 1 }])
  expect(await db.prisma.tenant.count()).toBe(0)
})

test('a statement that the server ends for its length is a database that does not answer, and no fault of ours', async () => {
  await using database = await createTestDatabase()
  await using db = openDatabase({ url: database.url, poolSize: 1 })
  const slow = { name: 'slow', text: `select set_config('statement_timeout', '20', false), pg_sleep(0)`, values: [] }
  await run(db.pool, slow)
  const asleep = run(db.pool, { name: 'asleep', text: 'select pg_sleep(20)', values: [] })
  await expect(asleep).rejects.toMatchObject({ code: 'database_unavailable' })
})
