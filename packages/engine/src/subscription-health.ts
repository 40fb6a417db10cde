/**
 * How far a subscription is with its work: what waits, since when, and what it waits for.
 */
import { type FailureCode, limits, type SubscriptionState, type Uuid } from '@posthorn/contract'
import type { Database } from './db/database.ts'
import { type SubscriptionHealthRow, selectSubscriptionHealth } from './db/sql/select-subscription-health.ts'
import { subscriptionNotFound } from './subscription-reads.ts'
import type { Within } from './tenancy.ts'

export type SubscriptionHealth = {
  state: SubscriptionState
  ordered: boolean
  /** Counted up to `limits.backlogCountMax`. */
  backlog: { count: number; hasMore: boolean }
  oldestDueAt: Date | null
  /** The delivery that the others of an ordered subscription wait for, because it has failed. */
  blockedBy: Blocking | null
}

export type Blocking = {
  deliveryId: Uuid
  eventId: Uuid
  eventType: string
  since: Date
  /** Null while an attempt is in flight. */
  nextAttemptAt: Date | null
  attemptCount: number
  lastFailureCode: FailureCode | null
  lastHttpStatus: number | null
}

/** @throws Problem `subscription_not_found` */
export async function getSubscriptionHealth(db: Database, id: Uuid, within: Within): Promise<SubscriptionHealth> {
  const countMax = limits.backlogCountMax
  const row = await selectSubscriptionHealth(db.pool, { subscriptionId: id, tenantId: within ?? null, countMax })
  if (row === undefined) throw subscriptionNotFound(id)
  return {
    state: row.state,
    ordered: row.ordered,
    backlog: { count: Math.min(row.backlog, countMax), hasMore: row.backlog > countMax },
    oldestDueAt: row.oldest_due_at,
    blockedBy: blockingOf(row),
  }
}

function blockingOf(row: SubscriptionHealthRow): Blocking | null {
  // A delivery that is being retried has had an attempt.
  if (row.head_id === null || row.since === null) return null
  return {
    deliveryId: row.head_id,
    eventId: row.event_id,
    eventType: row.event_type,
    since: row.since,
    nextAttemptAt: row.next_attempt_at,
    attemptCount: row.attempt_count,
    lastFailureCode: row.last_failure_code,
    lastHttpStatus: row.last_http_status,
  }
}
