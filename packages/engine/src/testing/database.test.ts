import { expect, test } from 'vitest'
import { createEmptyDatabase, createTestDatabase } from './database.ts'
import { withClient } from './server.ts'

const countTables = `select count(*)::int as tables from pg_class where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace`

test('a test database is migrated, has partitions for today and the tables of the queue', async () => {
  await using database = await createTestDatabase()
  await withClient(database.url, async (client) => {
    await client.query(
      `
      insert into event (id, tenant_id, type, timestamp, data)
      values (overlay(gen_random_uuid()::text placing $1 from 1 for 13)::uuid, 'acme', 'invoice.paid', now(), '{}')`,
      [
        Date.now()
          .toString(16)
          .padStart(12, '0')
          .replace(/^(.{8})/, '$1-'),
      ],
    )
    const { rows } = await client.query('select count(*)::int as queues from pgboss.queue')
    expect(rows).toEqual([{ queues: expect.any(Number) }])
  })
})

test('many test databases can be made at the same time, and each is its own', async () => {
  await using stack = new AsyncDisposableStack()
  const databases = await Promise.all(Array.from({ length: 12 }, async () => stack.use(await createTestDatabase())))
  await withClient(databases[0]?.url ?? '', (client) => client.query(`insert into tenant (id) values ('acme')`))
  const tenants = await Promise.all(
    databases.map(({ url }) => withClient(url, (client) => client.query('select id from tenant'))),
  )
  expect(tenants.map(({ rows }) => rows.length)).toEqual([1, ...Array.from({ length: 11 }, () => 0)])
})

test('an empty database has no tables', async () => {
  await using database = await createEmptyDatabase()
  expect((await withClient(database.url, (client) => client.query(countTables))).rows).toEqual([{ tables: 0 }])
})

test('a disposed database is gone although a connection to it is open', async () => {
  const database = await createTestDatabase()
  await withClient(database.url, async (client) => {
    client.on('error', () => undefined)
    await database[Symbol.asyncDispose]()
    await expect(client.query('select 1')).rejects.toThrow()
  })
  await expect(withClient(database.url, (client) => client.query('select 1'))).rejects.toMatchObject({ code: '3D000' })
})
