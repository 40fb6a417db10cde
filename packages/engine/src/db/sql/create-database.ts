import pg from 'pg'
import type { Runner } from './statement.ts'

/**
 * Makes a database: empty, or as a copy of a template.
 *
 * Takes a share lock on the template's row, so several sessions may copy one template at the same time, though one after
 * the other is faster: `strategy file_copy` waits for two checkpoints, which concurrent copies ask for in turns (25 ms
 * alone, 100 ms with two at once; `wal_log` takes 60 ms and more). PostgreSQL refuses (55006 object_in_use) while
 * somebody is connected to the template; an existing name is 42P04 duplicate_database.
 */
export async function createDatabase(runner: Runner, name: string, template = 'template1'): Promise<void> {
  await runner.query(
    `create database ${pg.escapeIdentifier(name)} template ${pg.escapeIdentifier(template)} strategy file_copy`,
  )
}
