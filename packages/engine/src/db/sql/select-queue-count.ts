import { type Runner, run } from './statement.ts'

/** How many of these queues pg-boss has. Locks nothing. Fails with 42P01 where pg-boss was never installed. */
export async function selectQueueCount(runner: Runner, names: readonly string[]): Promise<number> {
  const rows = await run<{ count: number }>(runner, { name: 'select-queue-count', text, values: [names] })
  return rows[0]?.count ?? 0
}

const text = `
select count(*)::int as count
from pgboss.queue
where name = any($1::text[])`
