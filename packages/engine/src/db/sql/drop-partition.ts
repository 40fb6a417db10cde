import pg from 'pg'
import { ask } from '../unavailable.ts'
import type { Runner } from './statement.ts'

/** Drops a table that was a partition and has been taken off. Locks it exclusively; nobody else knows it any more. */
export async function dropPartition(runner: Runner, name: string): Promise<void> {
  await ask(() => runner.query(`drop table if exists ${pg.escapeIdentifier(name)}`))
}
