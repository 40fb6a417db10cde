import type pg from 'pg'
import { ask } from '../unavailable.ts'

/**
 * Runs `work` in one transaction of this client: it commits when `work` resolves and rolls back when it throws.
 *
 * For the few that change the schema; the rest of the house has `transaction.ts`. With `lockTimeoutMs` no statement waits
 * longer for a lock (55P03 lock_not_available), so a change never stands in front of the readers for long; with
 * `statementTimeoutMs` none runs longer.
 *
 * @throws DatabaseUnavailable when the connection is lost at its beginning or end; what `work` throws
 */
export async function inTransaction<T>(
  client: pg.ClientBase,
  work: () => Promise<T>,
  { lockTimeoutMs, statementTimeoutMs }: { lockTimeoutMs?: number; statementTimeoutMs?: number } = {},
): Promise<T> {
  try {
    await ask(() => client.query('begin'))
    if (lockTimeoutMs !== undefined) await client.query(`set local lock_timeout = ${lockTimeoutMs}`)
    if (statementTimeoutMs !== undefined) await client.query(`set local statement_timeout = ${statementTimeoutMs}`)
    const result = await work()
    await ask(() => client.query('commit'))
    return result
  } catch (error) {
    // On a lost connection this fails too, and the server rolls back by itself.
    await client.query('rollback').catch(() => undefined)
    throw error
  }
}
