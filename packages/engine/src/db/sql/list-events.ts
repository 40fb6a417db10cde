import type { ProblemPlace, Uuid } from '@posthorn/contract'
import { ask } from '../unavailable.ts'
import { addBeyond, type Beyond, createConditions } from './conditions.ts'
import { addEventFilter, type EventFilter } from './filter-conditions.ts'
import type { Runner } from './statement.ts'

/** An event without its data, which may be large and is not always the reader's to see. */
export type EventRow = {
  id: Uuid
  tenant_id: string
  type: string
  timestamp: Date
  keys: Record<string, string>
  publish_id: string | null
  traceparent: string | null
  schema_version: number | null
  validation_errors: ProblemPlace[] | null
  erased_at: Date | null
}

/**
 * A page of events.
 *
 * Locks nothing. One tenant walks `event_tenant_id_id_idx`, all tenants the primary key; partitions outside of the time
 * are not read, and those within are read in the order of ids until the page is full.
 */
export async function listEvents(
  runner: Runner,
  filter: EventFilter,
  page: Beyond & { take: number },
): Promise<EventRow[]> {
  const conditions = createConditions()
  addEventFilter(conditions, filter)
  addBeyond(conditions, 'e.id', page)
  const text = `
select id, tenant_id, type, "timestamp", keys, publish_id, traceparent, schema_version, validation_errors, erased_at
from event e ${conditions.text}
order by e.id ${page.order === 'asc' ? 'asc' : 'desc'}
limit ${Math.trunc(page.take)}`
  const result = await ask(() => runner.query<EventRow>(text, [...conditions.values]))
  return result.rows
}
