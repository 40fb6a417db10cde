/**
 * Brings a database to the schema of this checkout: `prisma/migrations/<time>_<name>/migration.sql`, in order of names.
 *
 * The files, the table `_prisma_migrations` and the advisory lock are Prisma's, so its own `migrate deploy` may be used
 * instead or in turns; ours needs no engine to be downloaded. What is promised: of any number of processes that start
 * at once, one applies each migration once and the others wait; a migration and its row are one transaction, so one that
 * fails leaves nothing behind; a database that does not fit this checkout is refused before anything is changed.
 *
 * A migration may not hold statements that PostgreSQL refuses in a transaction (`create index concurrently`). The
 * connection must reach one session (no transaction pooler in between).
 */

import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { createMigrationsTable } from './sql/create-migrations-table.ts'
import { inTransaction } from './sql/in-transaction.ts'
import { insertMigration } from './sql/insert-migration.ts'
import { lockMigrations } from './sql/lock-migrations.ts'
import { runScript } from './sql/run-script.ts'
import { type MigrationRow, selectMigrations } from './sql/select-migrations.ts'
import type { Runner } from './sql/statement.ts'
import { ask } from './unavailable.ts'

/** How long to wait for another migrating process, and for each lock that a migration takes on a live table. */
const lockWaitMs = 60_000
const shippedMigrations = fileURLToPath(new URL('../../../../prisma/migrations', import.meta.url))

export type MigrationErrorCode =
  | 'migration_locked'
  | 'migration_changed'
  | 'migration_unfinished'
  | 'migration_unknown'
  | 'migration_failed'

/** Why the database cannot be brought to this schema. The message says what to do. */
export class MigrationError extends Error {
  override readonly name = 'MigrationError'
  readonly code: MigrationErrorCode
  /** The migration's name; undefined when the lock was not to be had. */
  readonly migration: string | undefined

  constructor(code: MigrationErrorCode, migration: string | undefined, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.migration = migration
  }
}

/**
 * Applies every pending migration.
 *
 * @returns the names of those applied now, and how many were there already
 * @throws MigrationError by code, DatabaseUnavailable
 */
export async function migrate(
  connectionString: string,
  migrationsDir = shippedMigrations,
): Promise<{ applied: string[]; already: number }> {
  const files = await migrationFiles(migrationsDir)
  const client = new pg.Client({ connectionString, application_name: 'posthorn-migrate', lock_timeout: lockWaitMs })
  // A connection that breaks rejects the query that runs on it; without a listener it would end the process as well.
  client.on('error', () => undefined)
  await ask(() => client.connect())
  try {
    await takeLock(client)
    await createMigrationsTable(client)
    const pending = pendingOf(files, await selectMigrations(client))
    for (const file of pending) await apply(client, file)
    return { applied: pending.map((file) => file.name), already: files.length - pending.length }
  } finally {
    await client.end()
  }
}

/**
 * The names of the migrations that this database still lacks. Changes nothing.
 *
 * @throws MigrationError when the database does not fit this checkout, DatabaseUnavailable
 */
export async function pendingMigrations(runner: Runner, migrationsDir = shippedMigrations): Promise<string[]> {
  const files = await migrationFiles(migrationsDir)
  const rows = await selectMigrations(runner).catch((error: unknown) => {
    if (hasCode(error, '42P01')) return [] // undefined_table: nothing was ever applied
    throw error
  })
  return pendingOf(files, rows).map((file) => file.name)
}

type MigrationFile = { name: string; script: string }

/** Sorted by name, which begins with the time. */
async function migrationFiles(folder: string): Promise<MigrationFile[]> {
  const entries = await readdir(folder, { withFileTypes: true })
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name)
  return Promise.all(
    names.sort().map(async (name) => ({ name, script: await readFile(join(folder, name, 'migration.sql'), 'utf8') })),
  )
}

async function takeLock(client: pg.Client): Promise<void> {
  try {
    await lockMigrations(client)
  } catch (error) {
    if (!hasCode(error, '55P03')) throw error
    throw new MigrationError(
      'migration_locked',
      undefined,
      `Another process has been migrating this database for ${lockWaitMs / 1000} s. Let it finish or end it, then start again.`,
      { cause: error },
    )
  }
}

/** Holds what was applied against the files: refuses what does not fit, else answers what is still to be done. */
function pendingOf(files: readonly MigrationFile[], rows: readonly MigrationRow[]): MigrationFile[] {
  const byName = new Map(files.map((file) => [file.name, file]))
  for (const { migration_name: name, checksum, finished } of rows) {
    if (!finished) {
      throw new MigrationError(
        'migration_unfinished',
        name,
        `The migration ${name} was begun and not finished. Repair what it left, then delete its row from _prisma_migrations (to run it again) or set its finished_at (if it is complete).`,
      )
    }
    const file = byName.get(name)
    if (file === undefined) {
      throw new MigrationError(
        'migration_unknown',
        name,
        `The database has the migration ${name}, which this version does not know: it belongs to a newer one. Start that version, or restore a backup from before.`,
      )
    }
    if (!checksumsOf(file.script).includes(checksum)) {
      throw new MigrationError(
        'migration_changed',
        name,
        `The migration ${name} was changed after it had been applied. Restore its file; put changes into a new migration.`,
      )
    }
  }
  const applied = new Set(rows.map((row) => row.migration_name))
  return files.filter((file) => !applied.has(file.name))
}

/** SHA-256 of the file first; then as Prisma does, the same text with the other systems' line ends. */
function checksumsOf(script: string): [string, ...string[]] {
  const unix = script.replaceAll('\r\n', '\n')
  return [sha256(script), sha256(unix), sha256(unix.replaceAll('\n', '\r\n'))]
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

async function apply(client: pg.Client, file: MigrationFile): Promise<void> {
  const [checksum] = checksumsOf(file.script)
  try {
    await inTransaction(client, async () => {
      await runScript(client, file.script)
      await insertMigration(client, { name: file.name, checksum })
    })
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new MigrationError(
      'migration_failed',
      file.name,
      `The migration ${file.name} failed and was rolled back: ${reason}`,
      { cause: error },
    )
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof pg.DatabaseError && error.code === code
}
