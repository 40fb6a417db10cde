import {
  formatId,
  type ListFilter,
  type ReplayOutcome,
  type Replay as WireReplay,
  type ReplayItem as WireReplayItem,
} from '@posthorn/contract'
import type { Replay, ReplayItemRow } from '@posthorn/engine'

export function replayView(replay: Replay): WireReplay {
  const { preview, counts } = replay
  const of = (outcome: ReplayOutcome) =>
    counts.reduce((sum, count) => (count.outcome === outcome ? sum + count.count : sum), 0)
  return {
    id: formatId('replay', replay.id),
    tenant: replay.tenantId,
    state: replay.state,
    // Held to its schema when it was drafted, and stored as it was.
    filter: replay.filter as ListFilter,
    only: replay.choice,
    since: replay.since?.toISOString() ?? null,
    until: replay.until.toISOString(),
    rate_per_second: replay.ratePerSecond,
    note: replay.note,
    target_url: replay.targetUrl,
    actor: replay.actor,
    created_at: replay.createdAt.toISOString(),
    expires_at: replay.state === 'draft' ? replay.expiresAt.toISOString() : null,
    started_at: replay.startedAt?.toISOString() ?? null,
    finished_at: replay.finishedAt?.toISOString() ?? null,
    preview: {
      count: replay.itemCount,
      tenant_count: preview.tenantCount,
      subscription_count: preview.subscriptionCount,
      by_subscription: preview.bySubscription.map(({ subscriptionId, tenantId, count }) => ({
        subscription_id: formatId('subscription', subscriptionId),
        tenant: tenantId,
        count,
      })),
      by_cause: preview.byCause.map(({ failureCode, count }) => ({ failure_code: failureCode, count })),
      left_out: preview.leftOut,
      left_out_has_more: preview.leftOutHasMore,
      estimated_seconds: preview.estimatedSeconds,
    },
    progress: {
      waiting: of('waiting'),
      under_way: of('under_way'),
      delivered: of('delivered'),
      failed: of('failed'),
      skipped: of('skipped'),
      canceled: of('canceled'),
      by_cause: counts.flatMap(({ outcome, failure_code, count }) =>
        outcome === 'failed' ? [{ failure_code, count }] : [],
      ),
      by_skip_reason: counts.flatMap(({ skip_reason, count }) =>
        skip_reason === null ? [] : [{ reason: skip_reason, count }],
      ),
    },
  }
}

export function replayItemView(item: ReplayItemRow): WireReplayItem {
  return {
    delivery_id: formatId('delivery', item.delivery_id),
    tenant: item.tenant_id,
    subscription_id: formatId('subscription', item.subscription_id),
    event_id: item.event_id && formatId('event', item.event_id),
    event_type: item.event_type,
    delivery_state: item.state,
    outcome: item.outcome,
    skip_reason: item.skip_reason,
    // Before it has ended, one that goes to another URL has the id of a request and not of a stored attempt.
    attempt_id: item.finished_at && item.attempt_id && formatId('attempt', item.attempt_id),
    failure_code: item.failure_code,
    http_status: item.http_status,
    started_at: item.started_at?.toISOString() ?? null,
    finished_at: item.finished_at?.toISOString() ?? null,
  }
}
