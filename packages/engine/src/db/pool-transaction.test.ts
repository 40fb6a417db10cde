import { Problem } from '@posthorn/contract'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../testing/index.ts'
import { type Database, openDatabase } from './database.ts'
import { poolTransaction } from './pool-transaction.ts'
import { DatabaseUnavailable } from './unavailable.ts'

let database: TestDatabase
let db: Database

beforeAll(async () => {
  database = await createTestDatabase()
  db = openDatabase({ url: database.url, poolSize: 2 })
})

afterAll(async () => {
  await db[Symbol.asyncDispose]()
  await database[Symbol.asyncDispose]()
})

test('a connection that is lost before the commit says that the database is away, and the pool gives another one', async () => {
  const lost = poolTransaction(db, async (runner) => {
    const { rows } = await runner.query<{ pid: number }>('select pg_backend_pid() as pid')
    await runner.query("insert into tenant (id) values ('lost')")
    await db.pool.query('select pg_terminate_backend($1, 5000)', [rows[0]?.pid])
  })
  await expect(lost).rejects.toBeInstanceOf(DatabaseUnavailable)
  expect(await db.prisma.tenant.count({ where: { id: 'lost' } })).toBe(0)
  await poolTransaction(db, (runner) => runner.query("insert into tenant (id) values ('kept')"))
  expect(await db.prisma.tenant.count({ where: { id: 'kept' } })).toBe(1)
})

test('a refusal rolls everything back and goes up as it is', async () => {
  const refusal = new Problem('limit_reached', 'Too many.')
  const refused = poolTransaction(db, async (runner) => {
    await runner.query("insert into tenant (id) values ('refused')")
    throw refusal
  })
  await expect(refused).rejects.toBe(refusal)
  expect(await db.prisma.tenant.count({ where: { id: 'refused' } })).toBe(0)
})
