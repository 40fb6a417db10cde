/**
 * System events: what happens to the customers' subscriptions, told to the operator as events of the operator's own
 * tenant, stored, signed and delivered like all others.
 *
 * The statement that makes something true also writes down that it is to be told (`system_event`), so neither happens
 * without the other. From there it is published under an id that is its own for ever: a process that dies between
 * publishing and taking the row away leaves it to be published once more, which stores nothing twice.
 *
 * Nothing is told of the operator's own tenant, so that no failing delivery makes another one.
 */
import { formatId, Problem, type SystemEventData, type SystemEventType } from '@posthorn/contract'
import type { Database } from './db/database.ts'
import { deleteSystemEvents } from './db/sql/delete-system-events.ts'
import { type SystemEventRow, takeSystemEvents } from './db/sql/take-system-events.ts'
import type { EventDraft, Publisher } from './events.ts'
import { ensureOperator } from './operator.ts'

/** Published at once: a million exhausted deliveries come in portions. */
const rowsPerPiece = 500
/** Longer than a portion takes. If its process dies meanwhile, another one publishes it afterwards, in milliseconds. */
const leaseMs = 30_000
/** Answers of the publisher that are mended by making the tenant and the event types known again. */
const mendable: ReadonlySet<string> = new Set(['tenant_not_found', 'event_type_not_found'])

export type SystemEventParts = {
  db: Database
  /** One that may publish what only Posthorn publishes. */
  publisher: Publisher
  operatorTenant: string
}

/**
 * Publishes up to a portion of what is to be told. Several processes share the work. Answers how many were published; 0
 * when there is nothing more, or others are at it.
 *
 * @throws Problem when some could not be published now. They stay, and are tried again.
 */
export async function publishSystemEvents(parts: SystemEventParts): Promise<number> {
  const { db, operatorTenant } = parts
  const rows = await takeSystemEvents(db.pool, rowsPerPiece, leaseMs)
  if (rows.length === 0) return 0
  // Others were written before the setting named this tenant.
  const wanted = rows.filter((row) => row.tenant_id !== operatorTenant)
  let refusals = await publishRows(parts, wanted)
  if ([...refusals.values()].some(({ code }) => mendable.has(code))) {
    await ensureOperator(db, operatorTenant)
    refusals = await publishRows(parts, [...refusals.keys()])
  }
  const refused = new Set([...refusals.keys()].map(({ id }) => id))
  await deleteSystemEvents(
    db.pool,
    rows.map(({ id }) => id).filter((id) => !refused.has(id)),
  )
  for (const problem of refusals.values()) throw problem
  return wanted.length
}

/** Answers with those that were refused. */
async function publishRows(
  { publisher, operatorTenant }: SystemEventParts,
  rows: readonly SystemEventRow[],
): Promise<Map<SystemEventRow, Problem>> {
  const results = await publisher.publishMany(rows.map((row) => draftOf(row, operatorTenant)))
  const refused = new Map<SystemEventRow, Problem>()
  for (const [index, row] of rows.entries()) {
    const result = results[index]
    if (result instanceof Problem) refused.set(row, result)
  }
  return refused
}

function draftOf(row: SystemEventRow, operatorTenant: string): EventDraft {
  return {
    tenantId: operatorTenant,
    type: row.type,
    data: JSON.stringify(dataOf(row)),
    timestamp: row.happened_at,
    publishId: `posthorn:${row.id}`,
    keys: { tenant: row.tenant_id, subscription: formatId('subscription', row.subscription_id) },
  }
}

function dataOf(row: SystemEventRow): SystemEventData[SystemEventType] {
  const happenedAt = row.happened_at.toISOString()
  const about = {
    tenant: row.tenant_id,
    subscription_id: formatId('subscription', row.subscription_id),
    url: row.url,
  }
  switch (row.type) {
    case 'posthorn.subscription.failing': {
      const { failing_since, percent, disable_at } = row.facts
      return { ...about, failing_since: wireTime(failing_since), percent, disable_at: wireTime(disable_at) }
    }
    case 'posthorn.subscription.disabled': {
      const { reason, failing_since } = row.facts
      return { ...about, reason, failing_since: timeOrNull(failing_since), disabled_at: happenedAt }
    }
    case 'posthorn.subscription.recovered':
      return { ...about, failing_since: timeOrNull(row.facts.failing_since), recovered_at: happenedAt }
    case 'posthorn.delivery.exhausted': {
      const { event_id, attempt_count, failure_code, http_status } = row.facts
      return {
        ...about,
        delivery_id: formatId('delivery', row.delivery_id),
        event_id: formatId('event', event_id),
        event_type: row.event_type,
        attempt_count,
        last_failure_code: failure_code,
        last_http_status: http_status,
        failed_at: happenedAt,
      }
    }
  }
}

/** A time as the database writes it in JSON, as the API writes it. */
function wireTime(text: string): string {
  return new Date(text).toISOString()
}

function timeOrNull(text: string | null): string | null {
  return text === null ? null : wireTime(text)
}
