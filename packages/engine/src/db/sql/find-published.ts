import type { Uuid } from '@posthorn/contract'
import { type Runner, run } from './statement.ts'

export type FoundEvent = { id: Uuid; tenant_id: string }

/**
 * Events that were published under this id of the publisher's own, of one tenant unless it is null.
 *
 * Locks nothing. Walks `event_publish_id_pkey`: one probe for a tenant, or one for each that exists, which spares every
 * publisher an index by the id alone.
 */
export function findPublished(
  runner: Runner,
  tenantId: string | null,
  publishId: string,
  rowsMax: number,
): Promise<FoundEvent[]> {
  return run<FoundEvent>(runner, { name: 'find-published', text, values: [tenantId, publishId, rowsMax] })
}

const text = `
select p.event_id as id, p.tenant_id
from tenant t
cross join lateral (
  select event_id, tenant_id from event_publish_id p where p.tenant_id = t.id and p.publish_id = $2 limit 1
) p
where ($1::text is null or t.id = $1)
limit $3`
