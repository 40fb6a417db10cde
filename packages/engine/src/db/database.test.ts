import { connect, createServer, type Socket } from 'node:net'
import { expect, test } from 'vitest'
import { createTestDatabase } from '../testing/index.ts'
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

type Proxy = AsyncDisposable & { url: string; fallSilent(): void }

/** Passes bytes on, until told to let the connections it has fall silent without closing them. */
async function startProxy(databaseUrl: string): Promise<Proxy> {
  const target = new URL(databaseUrl)
  const passing = new Set<Socket>()
  const all = new Set<Socket>()
  const server = createServer((inside) => {
    const outside = connect(Number(target.port), target.hostname)
    for (const [from, to] of [
      [inside, outside],
      [outside, inside],
    ] as const) {
      passing.add(from)
      all.add(from)
      from.on('error', () => undefined)
      from.on('data', (chunk) => passing.has(from) && to.write(chunk))
      from.on('close', () => to.destroy())
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const url = new URL(databaseUrl)
  url.hostname = '127.0.0.1'
  url.port = String(typeof address === 'object' && address !== null ? address.port : 0)
  return {
    url: url.href,
    fallSilent: () => passing.clear(),
    [Symbol.asyncDispose]() {
      for (const socket of all) socket.destroy()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}
