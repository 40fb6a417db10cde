import { type Runner, run } from './statement.ts'

export type MigrationRow = { migration_name: string; checksum: string; finished: boolean }

/** The migrations that were begun on this database and not rolled back since. Locks nothing; the table is tiny. */
export function selectMigrations(runner: Runner): Promise<MigrationRow[]> {
  return run<MigrationRow>(runner, { name: 'select-migrations', text, values: [] })
}

const text = `
select migration_name, checksum, finished_at is not null as finished
from _prisma_migrations
where rolled_back_at is null
order by migration_name`
