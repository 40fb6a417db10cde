import pg from 'pg'
import type { Runner } from './statement.ts'

/**
 * Makes a database: empty, or as a copy of a template.
 *
 * Takes a share lock on the template's row, so several sessions may copy one template at the same time. PostgreSQL
 * refuses (55006 object_in_use) while somebody is connected to the template; an existing name is 42P04
 * duplicate_database. `strategy wal_log` copies through shared buffers and needs no checkpoint.
 */
export async function createDatabase(runner: Runner, name: string, template = 'template1'): Promise<void> {
  await runner.query(
    `create database ${pg.escapeIdentifier(name)} template ${pg.escapeIdentifier(template)} strategy wal_log`,
  )
}
