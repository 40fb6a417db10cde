/**
 * Reading events. Lists leave the data out; one event gives it as the publisher's exact text.
 */
import { formatId, Problem, type ProblemPlace, type Uuid } from '@posthorn/contract'
import type { Database } from './db/database.ts'
import { countEvents as countStatement } from './db/sql/count-events.ts'
import type { EventFilter } from './db/sql/filter-conditions.ts'
import { type EventRow, listEvents as listStatement } from './db/sql/list-events.ts'
import { selectEvent } from './db/sql/select-event.ts'
import { type Counting, isUuidKey, type Page, type PageRequest, planPage } from './paging.ts'
import type { Within } from './tenancy.ts'

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
  /** When its content was taken away; what is read of it then is nothing. */
  erasedAt: Date | null
}

/** `data` is the publisher's text, byte for byte; `headers` are what its requests carry besides. */
export type Event = EventSummary & { data: string; headers: Record<string, string> | null }

/** By the time they were published. */
export async function listEvents(
  db: Database,
  filter: EventFilter,
  request: PageRequest & Counting,
): Promise<Page<EventSummary>> {
  const plan = planPage('events', request, isUuidKey)
  const beyond = { id: plan.beyond?.[0], order: plan.order, take: plan.take }
  const [rows, count] = await Promise.all([
    listStatement(db.pool, filter, beyond),
    request.count === 'exact' ? countStatement(db.pool, filter) : undefined,
  ])
  return { ...plan.page(rows.map(summaryOf), (event) => [event.id]), count }
}

/** @throws Problem `event_not_found` */
export async function getEvent(db: Database, id: Uuid, within: Within): Promise<Event> {
  const row = await selectEvent(db.pool, id, within ?? null)
  if (row === undefined) throw new Problem('event_not_found', `There is no event ${formatId('event', id)}.`)
  return { ...summaryOf(row), data: row.data, headers: row.headers }
}

/** The names of the headers that its publisher gave; undefined when the event is no longer kept. */
export async function eventHeaderNames(
  { prisma }: Database,
  { id, tenantId }: { id: Uuid; tenantId: string },
): Promise<ReadonlySet<string> | undefined> {
  const found = await prisma.event.findFirst({ where: { tenantId, id }, select: { headers: true } })
  // Written by the engine as a record of texts.
  return found === null ? undefined : new Set(Object.keys((found.headers ?? {}) as Record<string, string>))
}

/** @throws Problem `content_erased` */
export function refuseErased(event: Pick<EventSummary, 'id' | 'erasedAt'>): void {
  if (event.erasedAt === null) return
  const when = event.erasedAt.toISOString()
  throw new Problem('content_erased', `What the event ${formatId('event', event.id)} held was erased at ${when}.`)
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
    erasedAt: row.erased_at,
  }
}
