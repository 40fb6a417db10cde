import type { ProblemPlace, Uuid } from '@posthorn/contract'
import { ask } from '../unavailable.ts'
import { addBeyond, type Beyond, createConditions, likePattern } from './conditions.ts'
import type { Runner } from './statement.ts'

/** Which events. What is undefined does not filter; an empty list lets nothing pass. */
export type EventFilter = {
  tenants?: readonly string[] | undefined
  eventTypes?: readonly string[] | undefined
  /** The smallest id, and the one before which the filter ends: ids carry the time. */
  from?: Uuid | undefined
  before?: Uuid | undefined
}

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
  conditions.addOneOf('tenant_id', 'text', filter.tenants)
  if (filter.eventTypes !== undefined) {
    conditions.add(filter.eventTypes.map(likePattern), (patterns) => `type like any(${patterns}::text[])`)
  }
  if (filter.from !== undefined) conditions.add(filter.from, (from) => `id >= ${from}::uuid`)
  if (filter.before !== undefined) conditions.add(filter.before, (before) => `id < ${before}::uuid`)
  addBeyond(conditions, 'id', page)
  const text = `
select id, tenant_id, type, "timestamp", keys, publish_id, traceparent, schema_version, validation_errors
from event ${conditions.text}
order by id ${page.order === 'asc' ? 'asc' : 'desc'}
limit ${Math.trunc(page.take)}`
  const result = await ask(() => runner.query<EventRow>(text, [...conditions.values]))
  return result.rows
}
