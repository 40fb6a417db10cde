import { type Runner, run } from './statement.ts'

/** How many sessions are connected to a database. Locks nothing. */
export async function countSessions(runner: Runner, database: string): Promise<number> {
  const [row] = await run<{ sessions: number }>(runner, { name: 'count-sessions', text, values: [database] })
  return row?.sessions ?? 0
}

const text = 'select count(*)::int as sessions from pg_stat_activity where datname = $1'
