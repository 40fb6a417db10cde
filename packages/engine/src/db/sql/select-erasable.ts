import type { Uuid } from '@posthorn/contract'
import { type Runner, run } from './statement.ts'

/**
 * The next events of a tenant whose content is still there, in the order of their ids: beyond `after`, and before `before`.
 *
 * Locks nothing; walks `event_tenant_id_id_idx`.
 */
export async function selectErasable(
  runner: Runner,
  of: { tenantId: string; after: Uuid; before: Uuid; rowsMax: number },
): Promise<Uuid[]> {
  const values = [of.tenantId, of.after, of.before, of.rowsMax]
  const rows = await run<{ id: Uuid }>(runner, { name: 'select-erasable', text, values })
  return rows.map((row) => row.id)
}

const text = `
select id
from event
where tenant_id = $1 and id > $2 and id < $3 and erased_at is null
order by id
limit $4`
