/** A transaction for hand-written statements that must hold a lock while other connections work. */
import type { Database } from './database.ts'
import { inTransaction } from './sql/in-transaction.ts'
import type { Runner } from './sql/statement.ts'
import { ask } from './unavailable.ts'

/**
 * Runs `work` in one transaction on a connection of the pool, which is closed when anything fails: its state is unknown.
 *
 * @throws DatabaseUnavailable when there is no connection; what `work` throws
 */
export async function poolTransaction<T>({ pool }: Database, work: (runner: Runner) => Promise<T>): Promise<T> {
  const client = await ask(() => pool.connect())
  // Its server may go while it waits for `work`; the next statement says so, and without a listener the process would end.
  const onError = (): void => undefined
  client.on('error', onError)
  let isBroken = true
  try {
    const result = await inTransaction(client, () => work(client))
    isBroken = false
    return result
  } finally {
    client.off('error', onError)
    client.release(isBroken)
  }
}
