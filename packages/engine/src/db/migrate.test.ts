import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createEmptyDatabase, withClient } from '../testing/index.ts'
import { migrate, pendingMigrations } from './migrate.ts'

const first = { '20260101000000_first': 'create table first (id int);' }
const second = { '20260102000000_second': 'create table second (id int);' }
const broken = { '20260103000000_broken': 'create table third (id int); select 1 / 0;' }

test('ten processes that start at once on an empty database apply each migration once', async () => {
  await using database = await createEmptyDatabase()
  await using folder = await migrationsOf({ ...first, ...second })
  const results = await Promise.all(Array.from({ length: 10 }, () => migrate(database.url, folder.path)))
  const names = [...Object.keys(first), ...Object.keys(second)]
  expect(results.flatMap(({ applied }) => applied)).toEqual(names)
  expect(results.filter(({ already }) => already === 2)).toHaveLength(9)
  const rows = await rowsOf(database.url)
  expect(rows.map((row) => row.migration_name)).toEqual(names)
})

test('a row says what Prisma would have said', async () => {
  await using database = await createEmptyDatabase()
  await using folder = await migrationsOf(first)
  await migrate(database.url, folder.path)
  expect(await rowsOf(database.url)).toEqual([
    {
      id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/),
      checksum: 'fd8a27eb4deefb6c11ab53914483ea89e27ae2cfc257720141c59bcba3d7457e',
      migration_name: '20260101000000_first',
      started_at: expect.any(Date),
      finished_at: expect.any(Date),
      rolled_back_at: null,
      logs: null,
      applied_steps_count: 1,
    },
  ])
})

test('a migration that fails leaves nothing behind, keeps those before it, and runs again once it is repaired', async () => {
  await using database = await createEmptyDatabase()
  await using folder = await migrationsOf({ ...first, ...broken })
  await expect(migrate(database.url, folder.path)).rejects.toMatchObject({
    code: 'migration_failed',
    migration: '20260103000000_broken',
    cause: { code: '22012' },
  })
  expect(await tablesOf(database.url)).toEqual(['_prisma_migrations', 'first'])
  expect(await rowsOf(database.url)).toHaveLength(1)
  await folder.write({ '20260103000000_broken': 'create table third (id int);' })
  expect(await migrate(database.url, folder.path)).toEqual({ applied: ['20260103000000_broken'], already: 1 })
})

test('a migration changed after it was applied is refused before anything runs', async () => {
  await using database = await createEmptyDatabase()
  await using folder = await migrationsOf(first)
  await migrate(database.url, folder.path)
  await folder.write({ '20260101000000_first': 'create table first (id bigint);', ...second })
  const refusal = { code: 'migration_changed', migration: '20260101000000_first' }
  await expect(migrate(database.url, folder.path)).rejects.toMatchObject(refusal)
  await expect(pendingOf(database.url, folder.path)).rejects.toMatchObject(refusal)
  expect(await tablesOf(database.url)).toEqual(['_prisma_migrations', 'first'])
})

test('a checkout with the line ends of Windows is the same migration', async () => {
  await using database = await createEmptyDatabase()
  await using folder = await migrationsOf({ '20260101000000_first': 'create table first\n(id int);\n' })
  await migrate(database.url, folder.path)
  await folder.write({ '20260101000000_first': 'create table first\r\n(id int);\r\n' })
  expect(await migrate(database.url, folder.path)).toEqual({ applied: [], already: 1 })
})

test('a database that a newer version has migrated is refused', async () => {
  await using database = await createEmptyDatabase()
  await using newer = await migrationsOf({ ...first, ...second })
  await using older = await migrationsOf(first)
  await migrate(database.url, newer.path)
  const refusal = { code: 'migration_unknown', migration: '20260102000000_second' }
  await expect(migrate(database.url, older.path)).rejects.toMatchObject(refusal)
})

test('a migration that Prisma began and did not finish is refused, and runs after it was marked as rolled back', async () => {
  await using database = await createEmptyDatabase()
  await using folder = await migrationsOf(first)
  await migrate(database.url, folder.path)
  await withClient(database.url, (client) =>
    client.query('update _prisma_migrations set finished_at = null; drop table first'),
  )
  const refusal = { code: 'migration_unfinished', migration: '20260101000000_first' }
  await expect(migrate(database.url, folder.path)).rejects.toMatchObject(refusal)
  await withClient(database.url, (client) => client.query('update _prisma_migrations set rolled_back_at = now()'))
  expect(await migrate(database.url, folder.path)).toEqual({ applied: ['20260101000000_first'], already: 0 })
})

test('while Prisma holds its lock nothing is applied', async () => {
  await using database = await createEmptyDatabase()
  await using folder = await migrationsOf(first)
  await withClient(database.url, async (prisma) => {
    await prisma.query('select pg_advisory_lock(72707369)')
    const impatient = `${database.url}?lock_timeout=50`
    await expect(migrate(impatient, folder.path)).rejects.toMatchObject({ code: 'migration_locked' })
    expect(await tablesOf(database.url)).toEqual([])
  })
  expect(await migrate(database.url, folder.path)).toEqual({ applied: ['20260101000000_first'], already: 0 })
})

test('what is pending can be asked without changing anything', async () => {
  await using database = await createEmptyDatabase()
  await using folder = await migrationsOf({ ...first, ...second })
  expect(await pendingOf(database.url, folder.path)).toEqual([...Object.keys(first), ...Object.keys(second)])
  expect(await tablesOf(database.url)).toEqual([])
  await migrate(database.url, folder.path)
  expect(await pendingOf(database.url, folder.path)).toEqual([])
})

test('a server that does not answer is told apart from a wrong migration', async () => {
  const nobody = 'postgres://nobody:nothing@127.0.0.1:1/nowhere'
  await expect(migrate(nobody)).rejects.toMatchObject({ code: 'database_unavailable' })
})

test('the shipped migrations apply to an empty database, and a second run finds nothing to do', async () => {
  await using database = await createEmptyDatabase()
  const { applied } = await migrate(database.url)
  expect(applied.length).toBeGreaterThan(0)
  expect(await migrate(database.url)).toEqual({ applied: [], already: applied.length })
})

async function migrationsOf(scripts: Record<string, string>) {
  const path = await mkdtemp(join(tmpdir(), 'posthorn-migrations-'))
  const write = async (more: Record<string, string>) => {
    for (const [name, script] of Object.entries(more)) {
      await mkdir(join(path, name), { recursive: true })
      await writeFile(join(path, name, 'migration.sql'), script)
    }
  }
  await write(scripts)
  await writeFile(join(path, 'migration_lock.toml'), 'provider = "postgresql"\n')
  return { path, write, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) }
}

function pendingOf(url: string, folder: string): Promise<string[]> {
  return withClient(url, (client) => pendingMigrations(client, folder))
}

async function tablesOf(url: string): Promise<string[]> {
  const query = `select tablename from pg_tables where schemaname = 'public' order by tablename`
  return withClient(url, async (client) => (await client.query(query)).rows.map((row) => row.tablename))
}

async function rowsOf(url: string): Promise<Record<string, unknown>[]> {
  return withClient(
    url,
    async (client) => (await client.query('select * from _prisma_migrations order by migration_name')).rows,
  )
}
