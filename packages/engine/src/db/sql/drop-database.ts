import pg from 'pg'
import type { Runner } from './statement.ts'

/** Drops a database if it is there, and ends the sessions that still use it. Waits for a checkpoint. */
export async function dropDatabase(runner: Runner, name: string): Promise<void> {
  await runner.query(`drop database if exists ${pg.escapeIdentifier(name)} with (force)`)
}
