import type { Runner } from './statement.ts'

/** Runs a script of several statements as it stands: a migration. What it locks is for its author to say. */
export async function runScript(runner: Runner, script: string): Promise<void> {
  await runner.query(script)
}
