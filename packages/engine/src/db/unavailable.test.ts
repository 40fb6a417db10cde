import pg from 'pg'
import { expect, test } from 'vitest'
import { createTestDatabase, withClient } from '../testing/index.ts'
import { openDatabase } from './database.ts'
import { ask, DatabaseUnavailable, isDatabaseUnavailable, isLockTimeout, isRefused } from './unavailable.ts'

test.each([
  ['08006', 'the connection failed'],
  ['57P01', 'the server is being shut down'],
  ['57P03', 'the server is starting'],
  ['57014', 'the statement took too long'],
  ['55000', 'the database is not accepting connections'],
  ['53300', 'there are too many clients'],
  ['25006', 'the server is a standby'],
  ['40001', 'a serialization failed'],
  ['40P01', 'a deadlock was resolved'],
])('%s says that the database does not answer now: %s', async (code) => {
  const error = refusal(code)
  expect(isDatabaseUnavailable(error)).toBe(true)
  expect(isRefused(error)).toBe(false)
  await expect(ask(() => Promise.reject(error))).rejects.toBeInstanceOf(DatabaseUnavailable)
})

test.each([
  ['22021', 'a text cannot be stored'],
  ['23505', 'a row is there already'],
  ['23514', 'a check or a partition refuses the row'],
  ['54000', 'a row is too large'],
])('%s says that the values cannot be stored: %s', async (code) => {
  const error = refusal(code)
  expect(isDatabaseUnavailable(error)).toBe(false)
  expect(isRefused(error)).toBe(true)
  await expect(ask(() => Promise.reject(error))).rejects.toBe(error)
})

test.each([
  ['42703', 'a column is missing'],
  ['42501', 'a permission is missing'],
  ['28P01', 'the password is wrong'],
  ['0A000', 'a plan was made for another table'],
])('%s is neither: nobody can say what it will be the next time (%s)', (code) => {
  expect(isDatabaseUnavailable(refusal(code))).toBe(false)
  expect(isRefused(refusal(code))).toBe(false)
})

test('errors of the connection have no code of the server, and mean that the database does not answer', async () => {
  for (const error of [
    new Error('Connection terminated unexpectedly'),
    Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }),
  ]) {
    const raised = await ask(() => Promise.reject(error)).catch((reason: unknown) => reason)
    expect(raised).toBeInstanceOf(DatabaseUnavailable)
    expect(raised).toMatchObject({ cause: error })
    expect(isRefused(raised)).toBe(false)
  }
})

test('a mistake of ours in calling the driver stays what it is', async () => {
  const mistake = new TypeError('not a function')
  await expect(ask(() => Promise.reject(mistake))).rejects.toBe(mistake)
  expect(isRefused(mistake)).toBe(true)
})

test('the reason is found however deep it is wrapped', () => {
  const wrapped = new Error('outer', { cause: new Error('inner', { cause: refusal('57P01') }) })
  expect(isDatabaseUnavailable(wrapped)).toBe(true)
  expect(isDatabaseUnavailable(new Error('outer', { cause: { originalCode: '57P01' } }))).toBe(true)
  expect(isDatabaseUnavailable('57P01')).toBe(false)
})

function refusal(code: string): pg.DatabaseError {
  return Object.assign(new pg.DatabaseError('refused', 0, 'error'), { code })
}

test.each([
  ['pg', (url: string) => withClient(url, (client) => client.query(waitInVain))],
  [
    'Prisma',
    async (url: string) => {
      await using db = openDatabase({ url, poolSize: 1 })
      await db.prisma.$queryRawUnsafe(waitInVain)
    },
  ],
])(
  'a lock that is not to be had in time is told as that, by %s as it is used for statements by hand',
  async (_whose, wait) => {
    await using database = await createTestDatabase()
    await withClient(database.url, async (client) => {
      await client.query('select pg_advisory_lock(1)')
      const error = await wait(database.url).catch((thrown: unknown) => thrown)
      expect([isLockTimeout(error), isDatabaseUnavailable(error)]).toEqual([true, false])
    })
  },
)

test('a session that the server ended is told as a database that is away, also by a statement by hand through Prisma', async () => {
  await using database = await createTestDatabase()
  await using db = openDatabase({ url: database.url, poolSize: 1 })
  const ending = db.prisma.$queryRawUnsafe('select pg_terminate_backend(pg_backend_pid())')
  const error = await ending.catch((thrown: unknown) => thrown)
  expect([isLockTimeout(error), isDatabaseUnavailable(error)]).toEqual([false, true])
})

const waitInVain = `
with patience as materialized (select set_config('lock_timeout', '20', false) as of)
select pg_advisory_lock(1) is null as waited from patience`
