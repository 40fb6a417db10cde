import { formatId, limits, type Uuid, type SubscriptionHealth as WireHealth } from '@posthorn/contract'
import type { SubscriptionHealth } from '@posthorn/engine'

/** @param disableAfterMs how long nothing but failure is put up with */
export function subscriptionHealthView(
  subscriptionId: Uuid,
  health: SubscriptionHealth,
  disableAfterMs: number,
): WireHealth {
  const { attempts, backlog, blockedBy, breaker, failing, held } = health
  const tried = attempts.accepted + attempts.failed
  return {
    subscription_id: formatId('subscription', subscriptionId),
    state: health.state,
    disabled_reason: health.disabledReason,
    attempts: {
      minutes: limits.healthMinutes,
      accepted: attempts.accepted,
      failed: attempts.failed,
      success_rate: tried === 0 ? null : attempts.accepted / tried,
    },
    consecutive_failures: { count: failing.count, has_more: failing.hasMore },
    failing_since: failing.since?.toISOString() ?? null,
    // Who is paused or disabled is not tried.
    disable_at:
      failing.since === null || health.state !== 'active'
        ? null
        : new Date(failing.since.getTime() + disableAfterMs).toISOString(),
    breaker: {
      state: breaker.state,
      opened_at: breaker.openedAt?.toISOString() ?? null,
      next_probe_at: breaker.nextProbeAt?.toISOString() ?? null,
      failed_probes: breaker.failedProbes,
    },
    ordered: health.ordered,
    backlog: { count: backlog.count, has_more: backlog.hasMore },
    held: { count: held.count, has_more: held.hasMore },
    not_before: health.notBefore?.toISOString() ?? null,
    oldest_due_at: health.oldestDueAt?.toISOString() ?? null,
    blocked_by:
      blockedBy === null
        ? null
        : {
            delivery_id: formatId('delivery', blockedBy.deliveryId),
            event_id: formatId('event', blockedBy.eventId),
            event_type: blockedBy.eventType,
            since: blockedBy.since.toISOString(),
            next_attempt_at: blockedBy.nextAttemptAt?.toISOString() ?? null,
            attempt_count: blockedBy.attemptCount,
            last_failure_code: blockedBy.lastFailureCode,
            last_http_status: blockedBy.lastHttpStatus,
          },
  }
}
