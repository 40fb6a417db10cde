import { type Runner, run } from './statement.ts'

/** One copy of a database at a time (see create-database.ts for why). An advisory lock of the session. */
export async function lockCopying(runner: Runner): Promise<void> {
  await run(runner, { name: 'lock-copying', text, values: [] })
}

const text = 'select pg_advisory_lock(7267846302)'
