import type { Uuid } from '@posthorn/contract'
import { type Runner, run } from './statement.ts'

/**
 * The next events of a tenant with this business key, in the order of their ids: beyond `after`, and before `before`.
 *
 * Locks nothing; walks `event_key_pkey`.
 */
export async function selectErasableByKey(
  runner: Runner,
  of: { tenantId: string; keyName: string; keyValue: string; after: Uuid; before: Uuid; rowsMax: number },
): Promise<Uuid[]> {
  const values = [of.tenantId, of.keyName, of.keyValue, of.after, of.before, of.rowsMax]
  const rows = await run<{ id: Uuid }>(runner, { name: 'select-erasable-by-key', text, values })
  return rows.map((row) => row.id)
}

const text = `
select event_id as id
from event_key
where value = $3 and tenant_id = $1 and name = $2 and event_id > $4 and event_id < $5
order by event_id
limit $6`
