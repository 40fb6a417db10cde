/**
 * A database whose process dies: the same pools, but before the statement of a given number all sessions of the process are
 * ended by the server, as they are when it is killed, and what was to be done next is not done.
 *
 * Counted are the statements of the pool, those inside of transactions too, and what Prisma is asked for. Dying before each
 * of them in turn is dying at every place that the database can tell apart: what a statement does, it does whole.
 */
import pg from 'pg'
import type { Database } from '../db/database.ts'
import { withClient } from './server.ts'

/** What the code under test meets when its process is gone. */
export class Killed extends RangeError {
  override readonly name = 'Killed'
}

export type Dying = {
  readonly db: Database
  /** Whether it came to the place where it dies. */
  readonly isDead: boolean
  /** What was about to be asked then, in one line. */
  readonly place: string
}

/** The name under which the sessions of the test itself are left alone. */
export const bystander = 'bystander'

/** @param at the number of the statement before which it dies, from 1 */
export function dyingDatabase(db: Database, at: number): Dying {
  let number = 0
  let place = ''
  const pass = async (what: string): Promise<void> => {
    if (place !== '') throw new Killed(place)
    number += 1
    if (number < at) return
    place = what.replaceAll(/\s+/g, ' ').trim().slice(0, 80)
    await endSessions(db.url)
    throw new Killed(place)
  }

  type Query = (...given: unknown[]) => unknown
  const queryOf = (runner: { query: Query }) => async (given: unknown, values?: unknown) => {
    await pass(textOf(given))
    return runner.query(given, values)
  }
  const pool = new Proxy(db.pool, {
    get(target, name) {
      if (name === 'query') return queryOf(target as unknown as { query: Query })
      if (name === 'connect') return async () => dyingClient(await target.connect())
      return bound(target, name)
    },
  })
  const dyingClient = (client: pg.PoolClient) =>
    new Proxy(client, {
      get(target, name) {
        return name === 'query' ? queryOf(target as unknown as { query: Query }) : bound(target, name)
      },
    })
  const prisma = db.prisma.$extends({
    query: {
      async $allOperations({ model, operation, args, query }) {
        await pass(`${model}.${operation}`)
        return query(args)
      },
    },
  }) as unknown as Database['prisma']

  return {
    db: { ...db, pool, prisma },
    get isDead() {
      return place !== ''
    },
    get place() {
      return place
    },
  }
}

function bound<Target extends object>(target: Target, name: string | symbol): unknown {
  const value: unknown = Reflect.get(target, name)
  return typeof value === 'function' ? value.bind(target) : value
}

function textOf(given: unknown): string {
  if (typeof given === 'string') return given
  const { name, text } = Object(given)
  return String(name ?? text)
}

/** Ends every session of this database but those of bystanders, and resolves when they are gone. */
export async function endSessions(url: string): Promise<void> {
  await withClient(url, async (client) => {
    const others = `from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and application_name <> '${bystander}'`
    await client.query(`select pg_terminate_backend(pid) ${others}`)
    for (let left = 1; left > 0; ) left = (await client.query(`select ${others}`)).rowCount ?? 0
  })
}

/** A session of the test's own, that outlives the process. */
export async function withBystander<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, application_name: bystander })
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}
