/** Connections of the pool for several statements, and transactions of hand-written statements on them. */
import type pg from 'pg'
import type { Database } from './database.ts'
import { inTransaction } from './sql/in-transaction.ts'
import type { Runner } from './sql/statement.ts'
import { ask } from './unavailable.ts'

/**
 * Runs `work` on one connection of the pool, which is closed when anything fails: its state is unknown.
 *
 * @throws DatabaseUnavailable when there is no connection; what `work` throws
 */
export async function onConnection<T>(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await ask(() => pool.connect())
  // Its server may go while it waits for `work`; the next statement says so, and without a listener the process would end.
  const onError = (): void => undefined
  client.on('error', onError)
  let isBroken = true
  try {
    const result = await work(client)
    isBroken = false
    return result
  } finally {
    client.off('error', onError)
    client.release(isBroken)
  }
}

/**
 * Runs `work` in one transaction on a connection of the pool.
 *
 * @param options as `inTransaction` takes them
 * @throws DatabaseUnavailable when there is no connection, or it is lost; what `work` throws
 */
export function poolTransaction<T>(
  { pool }: Database,
  work: (runner: Runner) => Promise<T>,
  options: { lockTimeoutMs?: number; statementTimeoutMs?: number } = {},
): Promise<T> {
  return onConnection(pool, (client) => inTransaction(client, () => work(client), options))
}
