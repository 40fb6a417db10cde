import { type Runner, run } from './statement.ts'

export type OldRollups = 'attempt_minute_kept' | 'attempt_hour'

/** Deletes at most so many rollups that begin before a time. Locks the rows; walks the primary key. */
export async function deleteRollups(runner: Runner, table: OldRollups, before: Date, rowsMax: number): Promise<number> {
  const name = `delete-rollups-${table}`
  const rows = await run<{ count: number }>(runner, { name, text: textFor(table), values: [before, rowsMax] })
  return rows[0]?.count ?? 0
}

const textFor = (table: OldRollups) => `
with gone as (
  delete from ${table}
  where ctid = any(array(select ctid from ${table} where starts_at < $1 limit $2))
  returning 1
)
select count(*)::int as count from gone`
