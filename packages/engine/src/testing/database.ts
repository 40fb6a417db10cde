/**
 * A database of its own for each test file (or test), copied from the template that `global-set-up.ts` has made: it is
 * migrated, has pg-boss's tables and the day partitions around today, and no rows.
 */
import pg from 'pg'
import { inject } from 'vitest'
import { createDatabase } from '../db/sql/create-database.ts'
import { dropDatabase } from '../db/sql/drop-database.ts'
import { lockCopying } from '../db/sql/lock-copying.ts'

declare module 'vitest' {
  interface ProvidedContext {
    postgres: {
      /** The server, through a database that tests do not use. */
      url: string
      template: string
      /** What the names of all databases of this run begin with. */
      prefix: string
    }
  }
}

/** Autovacuum may sit in the template for a moment; PostgreSQL waits 5 s for it and then refuses the copy. */
const copiesTriedMax = 5

export type TestDatabase = AsyncDisposable & { readonly url: string }

/** A copy of the template. Disposing drops it, whoever is still connected. */
export function createTestDatabase(): Promise<TestDatabase> {
  return makeDatabase(inject('postgres').template)
}

/** A database without any tables, for the tests of what makes them. */
export function createEmptyDatabase(): Promise<TestDatabase> {
  return makeDatabase('template0')
}

/** The same server and role, another database. */
export function atDatabase(url: string, name: string): string {
  const moved = new URL(url)
  moved.pathname = `/${name}`
  return moved.href
}

async function makeDatabase(template: string): Promise<TestDatabase> {
  const server = inject('postgres')
  const name = `${server.prefix}_${crypto.randomUUID().replaceAll('-', '')}`
  await withClient(server.url, async (client) => {
    await lockCopying(client)
    await copy(client, name, template)
  })
  return {
    url: atDatabase(server.url, name),
    async [Symbol.asyncDispose]() {
      await withClient(server.url, (client) => dropDatabase(client, name))
    },
  }
}

async function copy(client: pg.Client, name: string, template: string): Promise<void> {
  for (let tried = 1; ; tried += 1) {
    try {
      return await createDatabase(client, name, template)
    } catch (error) {
      const isInUse = error instanceof pg.DatabaseError && error.code === '55006'
      if (!isInUse || tried === copiesTriedMax) throw error
    }
  }
}

/** Runs `work` on a connection of its own. */
export async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}
