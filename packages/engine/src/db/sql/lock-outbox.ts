import { type Runner, run } from './statement.ts'

/** The key of the advisory lock. It is ours and used nowhere else. */
export const outboxLock = 7_267_846_303

/**
 * Whether this transaction is the one that publishes what is in the outbox: one at a time, so that events of a tenant are
 * published in the order in which they were written. Waits for nobody.
 *
 * An advisory lock of the transaction; it ends with the connection of a process that is killed.
 */
export async function lockOutbox(runner: Runner): Promise<boolean> {
  const [row] = await run<{ locked: boolean }>(runner, { name: 'lock-outbox', text, values: [] })
  return row?.locked === true
}

const text = `select pg_try_advisory_xact_lock(${outboxLock}) as locked`
