import type { Uuid } from '@posthorn/contract'
import { type Runner, run } from './statement.ts'

/**
 * Takes up to `rowsMax` audit entries away that are older than `before`. A trigger refuses those younger than 30 days.
 *
 * Locks the rows it deletes; walks the primary key.
 */
export async function deleteOldAudit(runner: Runner, before: Uuid, rowsMax: number): Promise<number> {
  const rows = await run<{ count: number }>(runner, { name: 'delete-old-audit', text, values: [before, rowsMax] })
  return rows[0]?.count ?? 0
}

const text = `
with gone as (
  delete from audit_entry where id in (select id from audit_entry where id < $1 order by id limit $2)
  returning 1
)
select count(*)::int as count from gone`
