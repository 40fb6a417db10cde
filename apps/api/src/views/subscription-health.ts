import { formatId, type Uuid, type SubscriptionHealth as WireHealth } from '@posthorn/contract'
import type { SubscriptionHealth } from '@posthorn/engine'

export function subscriptionHealthView(subscriptionId: Uuid, health: SubscriptionHealth): WireHealth {
  const { backlog, blockedBy } = health
  return {
    subscription_id: formatId('subscription', subscriptionId),
    state: health.state,
    ordered: health.ordered,
    backlog: { count: backlog.count, has_more: backlog.hasMore },
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
