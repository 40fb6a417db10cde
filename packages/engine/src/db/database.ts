/**
 * The one way to PostgreSQL: a pool for the hand-written statements of `sql/`, and Prisma over the same server for
 * everything that is not hot.
 *
 * Statements that matter are prepared once a connection and run by their generic plan: they are written so that one plan
 * is right for every parameter, and planning against dozens of day partitions would cost more than running them.
 */
import { PrismaPg } from '@prisma/adapter-pg'
import pg from 'pg'
import type { Audit } from './audit-note.ts'
import { PrismaClient } from './generated/client.ts'

/** How long a caller waits for a free connection, in milliseconds. After that the database counts as unavailable. */
const connectionWaitMs = 5_000
/** No statement of ours runs longer than this, in milliseconds. */
const statementTimeoutMs = 30_000
/**
 * A statement whose answer is overdue by this limit, in milliseconds, finds the database unavailable. The server's own
 * limit does not help when the connection is silent: its machine is gone, and nobody said so.
 */
const answerTimeoutMs = statementTimeoutMs + 5_000
/** A transaction that its client forgot is ended, in milliseconds. */
const idleInTransactionTimeoutMs = 10_000

export type Database = AsyncDisposable & {
  readonly prisma: PrismaClient
  readonly pool: pg.Pool
  /** The connection string, for those who need a connection of their own (LISTEN, migrations, pg-boss). */
  readonly url: string
  /** Who asks, for the audit log; undefined for what the process does by itself. */
  readonly audit?: Audit
}

export type DatabaseOptions = {
  url: string
  /** Connections in the pool of hand-written statements; Prisma has as many again. */
  poolSize: number
  /** Told of connections that broke while idle. The next query opens a new one. */
  onIdleError?: (error: Error) => void
  /** How long an answer is waited for, in milliseconds; 35 s by default, a little more than any statement may take. */
  answerTimeoutMs?: number
}

/** Opens the pools. Connects lazily: a database that is away is found out by the first query. */
export function openDatabase(options: DatabaseOptions): Database {
  const common = {
    connectionString: options.url,
    connectionTimeoutMillis: connectionWaitMs,
    statement_timeout: statementTimeoutMs,
    query_timeout: options.answerTimeoutMs ?? answerTimeoutMs,
    keepAlive: true,
    idle_in_transaction_session_timeout: idleInTransactionTimeoutMs,
  }
  const pool = new pg.Pool({
    ...common,
    max: options.poolSize,
    application_name: 'posthorn',
    options: '-c plan_cache_mode=force_generic_plan -c jit=off',
  })
  let closing = false
  pool.on('error', (error) => {
    // A pool that ends does not wait for its connections to be gone; what becomes of them then is no news.
    if (!closing) options.onIdleError?.(error)
  })
  const prisma = new PrismaClient({
    adapter: new PrismaPg({ ...common, max: options.poolSize, application_name: 'posthorn-prisma' }),
  })
  return {
    prisma,
    pool,
    url: options.url,
    async [Symbol.asyncDispose]() {
      closing = true
      await Promise.all([prisma.$disconnect(), pool.end()])
    },
  }
}
