import { type Runner, run } from './statement.ts'

/** Prisma's own table of applied migrations, as Prisma makes it. Callers hold the migrations' lock. */
export async function createMigrationsTable(runner: Runner): Promise<void> {
  await run(runner, { name: 'create-migrations-table', text, values: [] })
}

const text = `
create table if not exists _prisma_migrations (
  id                  varchar(36) primary key not null,
  checksum            varchar(64) not null,
  finished_at         timestamptz,
  migration_name      varchar(255) not null,
  logs                text,
  rolled_back_at      timestamptz,
  started_at          timestamptz not null default now(),
  applied_steps_count integer not null default 0
)`
