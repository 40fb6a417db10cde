import { createHash, randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { createApiKey } from './api-keys.ts'
import { createAuthenticate, findApiKeys } from './credentials.ts'
import { openDatabase } from './db/database.ts'
import { createTestDatabase } from './testing/index.ts'

const world = { now: () => Date.now(), randomBytes: (count: number) => randomBytes(count) }
const draft = { name: 'key', role: 'viewer', tenantId: null, expiresAt: null } as const

test('callers at the same time share a query, and each gets the answer for its own key', async () => {
  await using database = await createTestDatabase()
  await using db = openDatabase({ url: database.url, poolSize: 2 })
  const made = await Promise.all(Array.from({ length: 20 }, () => createApiKey({ db, world }, draft)))
  let queries = 0
  const counting = { ...db, pool: Object.create(db.pool, { query: { value: count } }) }
  function count(...given: Parameters<typeof db.pool.query>) {
    queries += 1
    return db.pool.query(...given)
  }
  const authenticate = createAuthenticate(counting)
  const unknown = `phk_${'0'.repeat(33)}`
  const found = await Promise.all([...made.map(({ key }) => authenticate(key)), authenticate(unknown)])
  expect(found.map((credential) => credential?.id)).toEqual([...made.map(({ apiKey }) => apiKey.id), undefined])
  expect(queries).toBeLessThan(10)
})

test('a text that is no key is not looked up', async () => {
  await using db = openDatabase({ url: 'postgres://nobody@127.0.0.1:9/none', poolSize: 1 })
  expect(await createAuthenticate(db)('phk_short')).toBeUndefined()
})

test('revoked and expired keys are not found, each of several in its place', async () => {
  await using database = await createTestDatabase()
  await using db = openDatabase({ url: database.url, poolSize: 2 })
  const old = await createApiKey({ db, world }, { ...draft, expiresAt: new Date(Date.now() - 1) })
  const good = await createApiKey({ db, world }, { ...draft, expiresAt: new Date(Date.now() + 60_000) })
  const gone = await createApiKey({ db, world }, draft)
  await db.prisma.apiKey.update({ where: { id: gone.apiKey.id }, data: { revokedAt: new Date() } })
  const hashes = [old, good, gone, good].map(({ key }) => createHash('sha256').update(key).digest())
  const rows = await findApiKeys(db, hashes)
  expect(rows.map((row) => row?.id)).toEqual([undefined, good.apiKey.id, undefined, good.apiKey.id])
})
