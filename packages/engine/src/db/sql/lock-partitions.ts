import { type Runner, run } from './statement.ts'

/**
 * One caller at a time makes partitions; the others wait until this transaction ends, within its `lock_timeout`.
 * The key is ours and used nowhere else.
 */
export async function lockPartitions(runner: Runner): Promise<void> {
  await run(runner, { name: 'lock-partitions', text, values: [] })
}

const text = 'select pg_advisory_xact_lock(7267846301)'
