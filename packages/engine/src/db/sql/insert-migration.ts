import { type Runner, run } from './statement.ts'

/**
 * Records that a migration is applied, as Prisma would have. Runs at the end of the migration's own transaction, so
 * there is never a migration without its row or a row without its migration. `now()` is when that transaction began.
 */
export async function insertMigration(runner: Runner, migration: { name: string; checksum: string }): Promise<void> {
  await run(runner, { name: 'insert-migration', text, values: [migration.name, migration.checksum] })
}

const text = `
insert into _prisma_migrations (id, checksum, migration_name, started_at, finished_at, applied_steps_count)
values (gen_random_uuid()::text, $2, $1, now(), clock_timestamp(), 1)`
