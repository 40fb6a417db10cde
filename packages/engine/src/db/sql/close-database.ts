import pg from 'pg'
import type { Runner } from './statement.ts'

/**
 * Lets nobody connect to a database any more, so that copying it cannot fail because somebody does. Who is connected
 * already stays. Locks the database's row.
 */
export async function closeDatabase(runner: Runner, name: string): Promise<void> {
  await runner.query(`alter database ${pg.escapeIdentifier(name)} with allow_connections false`)
}
