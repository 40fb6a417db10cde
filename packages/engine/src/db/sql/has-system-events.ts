import { type Runner, run } from './statement.ts'

/** Whether there is anything to be told that nobody is at. Locks nothing. */
export async function hasSystemEvents(runner: Runner): Promise<boolean> {
  const rows = await run<{ some: boolean }>(runner, { name: 'has-system-events', text, values: [] })
  return rows[0]?.some ?? false
}

const text = `select exists (select from system_event where taken_until is null or taken_until <= now()) as some`
