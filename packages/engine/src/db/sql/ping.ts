import { type Runner, run } from './statement.ts'

/** Asks the database for nothing but an answer. */
export async function ping(runner: Runner): Promise<void> {
  await run(runner, { name: 'ping', text: 'select 1', values: [] })
}
