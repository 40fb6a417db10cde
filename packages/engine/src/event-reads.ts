/**
 * Reading events. Lists leave the data out; one event gives it as the publisher's exact text.
 */
import { formatId, Problem, type ProblemPlace, type Uuid } from '@posthorn/contract'
import type { Database } from './db/database.ts'
import { type EventRow, listEvents as listStatement } from './db/sql/list-events.ts'
import { selectEvent } from './db/sql/select-event.ts'
import { isUuidKey, type Page, type PageRequest, planPage } from './paging.ts'
import { tenantsOf, type Within } from './tenancy.ts'
import { idsWithin, type TimeRange } from './time-range.ts'

/** What is told of an event without its data. */
export type EventSummary = {
  id: Uuid
  tenantId: string
  type: string
  timestamp: Date
  keys: Record<string, string>
  publishId: string | null
  traceparent: string | null
  schemaVersion: number | null
  validationErrors: ProblemPlace[] | null
}

/** `data` is the publisher's text, byte for byte. */
export type Event = EventSummary & { data: string }

export type EventListFilter = TimeRange & {
  within: Within
  tenants?: readonly string[] | undefined
  eventTypes?: readonly string[] | undefined
}

/** By the time they were published. */
export async function listEvents(
  db: Database,
  filter: EventListFilter,
  request: PageRequest,
): Promise<Page<EventSummary>> {
  const plan = planPage('events', request, isUuidKey)
  const rows = await listStatement(
    db.pool,
    { tenants: tenantsOf(filter.within, filter.tenants), eventTypes: filter.eventTypes, ...idsWithin(filter) },
    { id: plan.beyond?.[0], order: plan.order, take: plan.take },
  )
  return plan.page(rows.map(summaryOf), (event) => [event.id])
}

/** @throws Problem `event_not_found` */
export async function getEvent(db: Database, id: Uuid, within: Within): Promise<Event> {
  const row = await selectEvent(db.pool, id, within ?? null)
  if (row === undefined) throw new Problem('event_not_found', `There is no event ${formatId('event', id)}.`)
  return { ...summaryOf(row), data: row.data }
}

function summaryOf(row: EventRow): EventSummary {
  return {
    id: row.id,
    tenantId: row.tenant_id,
    type: row.type,
    timestamp: row.timestamp,
    keys: row.keys,
    publishId: row.publish_id,
    traceparent: row.traceparent,
    schemaVersion: row.schema_version,
    validationErrors: row.validation_errors,
  }
}
