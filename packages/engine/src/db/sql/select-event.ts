import type { Uuid } from '@posthorn/contract'
import type { EventRow } from './list-events.ts'
import { type Runner, run } from './statement.ts'

/** What lists leave out. */
export type EventContentRow = EventRow & { data: string; headers: Record<string, string> | null }

/** One event with its data and headers, within a tenant unless `tenantId` is null. Locks nothing; walks the primary key of one partition. */
export async function selectEvent(
  runner: Runner,
  id: Uuid,
  tenantId: string | null,
): Promise<EventContentRow | undefined> {
  const rows = await run<EventContentRow>(runner, { name: 'select-event', text, values: [tenantId, id] })
  return rows[0]
}

const text = `
select id, tenant_id, type, "timestamp", keys, publish_id, traceparent, schema_version, validation_errors, erased_at, data, headers
from event
where ($1::text is null or tenant_id = $1) and id = $2`
