import { type Runner, run } from './statement.ts'

/** How long ago the liveliest dispatcher was heard of, in milliseconds by the database's clock; `undefined` without any. Locks nothing. */
export async function selectHeartbeatAge(runner: Runner): Promise<number | undefined> {
  const rows = await run<{ age_ms: number | null }>(runner, { name: 'select-heartbeat-age', text, values: [] })
  return rows[0]?.age_ms ?? undefined
}

const text = `
select (extract(epoch from now() - max(heartbeat_at)) * 1000)::float8 as age_ms
from dispatcher`
