/**
 * How a subscription does and how far it is with its work: how its attempts end, what waits, since when, and for what.
 */
import {
  type BreakerState,
  type DisabledReason,
  type FailureCode,
  limits,
  type SubscriptionState,
  type Uuid,
} from '@posthorn/contract'
import type { Database } from './db/database.ts'
import { type SubscriptionHealthRow, selectSubscriptionHealth } from './db/sql/select-subscription-health.ts'
import { faultsOfOurs } from './failing.ts'
import { subscriptionNotFound } from './subscription-reads.ts'
import type { Within } from './tenancy.ts'

export type SubscriptionHealth = {
  state: SubscriptionState
  disabledReason: DisabledReason | null
  /** Of the last `limits.healthMinutes` and the newest `limits.healthAttemptsMax` deliveries. */
  attempts: { accepted: number; failed: number }
  /** Failed attempts since the last accepted one, counted up to `limits.healthAttemptsMax`. */
  failing: { count: number; hasMore: boolean; since: Date | null }
  breaker: { state: BreakerState; openedAt: Date | null; nextProbeAt: Date | null; failedProbes: number }
  ordered: boolean
  /** Counted up to `limits.backlogCountMax`. */
  backlog: { count: number; hasMore: boolean }
  /** Counted up to `limits.backlogCountMax`. */
  held: { count: number; hasMore: boolean }
  /** Until when the receiver has asked for a pause, if that is still to come. */
  notBefore: Date | null
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
  const { backlogCountMax: countMax, healthAttemptsMax: attemptsMax, healthMinutes: minutes } = limits
  const window = { minutes, attemptsMax, ours: faultsOfOurs }
  const row = await selectSubscriptionHealth(db.pool, {
    subscriptionId: id,
    tenantId: within ?? null,
    countMax,
    ...window,
  })
  if (row === undefined) throw subscriptionNotFound(id)
  return {
    state: row.state,
    disabledReason: row.disabled_reason,
    attempts: { accepted: row.accepted, failed: row.failed },
    failing: {
      count: Math.min(row.failures, attemptsMax),
      hasMore: row.failures > attemptsMax,
      since: row.failing_since,
    },
    breaker: {
      state: row.breaker_opened_at === null ? 'closed' : row.probe_due ? 'half_open' : 'open',
      openedAt: row.breaker_opened_at,
      nextProbeAt: row.breaker_probe_at,
      failedProbes: row.breaker_failed_probes,
    },
    ordered: row.ordered,
    backlog: { count: Math.min(row.backlog, countMax), hasMore: row.backlog > countMax },
    held: { count: Math.min(row.held, countMax), hasMore: row.held > countMax },
    notBefore: row.not_before,
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
