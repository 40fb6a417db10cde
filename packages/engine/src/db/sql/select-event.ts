import type { Uuid } from '@posthorn/contract'
import type { EventRow } from './list-events.ts'
import { type Runner, run } from './statement.ts'

/** One event with its data, within a tenant unless `tenantId` is null. Locks nothing; walks the primary key of one partition. */
export async function selectEvent(
  runner: Runner,
  id: Uuid,
  tenantId: string | null,
): Promise<(EventRow & { data: string }) | undefined> {
  const rows = await run<EventRow & { data: string }>(runner, { name: 'select-event', text, values: [tenantId, id] })
  return rows[0]
}

const text = `
select id, tenant_id, type, "timestamp", keys, publish_id, traceparent, schema_version, validation_errors, erased_at, data
from event
where ($1::text is null or tenant_id = $1) and id = $2`
