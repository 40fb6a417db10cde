import { type Runner, run } from './statement.ts'

/** Names of the server's databases that begin with a prefix. Locks nothing. */
export async function selectDatabases(runner: Runner, prefix: string): Promise<string[]> {
  const rows = await run<{ name: string }>(runner, { name: 'select-databases', text, values: [prefix] })
  return rows.map((row) => row.name)
}

const text = `select datname as name from pg_database where starts_with(datname::text, $1) order by datname`
