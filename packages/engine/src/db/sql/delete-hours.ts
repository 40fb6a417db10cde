import { type Runner, run } from './statement.ts'

/** Deletes at most so many rollups of hours that began before a time. Locks the rows; walks the primary key. */
export async function deleteHours(runner: Runner, before: Date, rowsMax: number): Promise<number> {
  const rows = await run<{ count: number }>(runner, { name: 'delete-hours', text, values: [before, rowsMax] })
  return rows[0]?.count ?? 0
}

const text = `
with gone as (
  delete from attempt_hour
  where ctid = any(array(select ctid from attempt_hour where starts_at < $1 limit $2))
  returning 1
)
select count(*)::int as count from gone`
