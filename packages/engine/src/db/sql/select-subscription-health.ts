import type { FailureCode, SubscriptionState, Uuid } from '@posthorn/contract'
import { type Runner, run } from './statement.ts'

export type SubscriptionHealthRow = {
  state: SubscriptionState
  ordered: boolean
  /** One more than `countMax` when there are more than that. */
  backlog: number
  oldest_due_at: Date | null
  /** The oldest unfinished delivery, if it has failed and the subscription is ordered; null otherwise, with what follows. */
  head_id: string | null
  event_id: string
  event_type: string
  since: Date | null
  next_attempt_at: Date | null
  attempt_count: number
  last_failure_code: FailureCode | null
  last_http_status: number | null
}

/**
 * How far a subscription is with its work. Answers with no row when there is no such subscription (within a tenant,
 * unless `tenantId` is null).
 *
 * Locks nothing. Walks `backlog_subscription_id_delivery_id_idx` for the head and for at most `countMax` entries to count,
 * `backlog_ready_idx` for what has been due longest, and `attempt_delivery_id_number_idx` of every day for one attempt.
 */
export async function selectSubscriptionHealth(
  runner: Runner,
  request: { subscriptionId: Uuid; tenantId: string | null; countMax: number },
): Promise<SubscriptionHealthRow | undefined> {
  const rows = await run<SubscriptionHealthRow>(runner, {
    name: 'select-subscription-health',
    text,
    values: [request.subscriptionId, request.tenantId, request.countMax],
  })
  return rows[0]
}

const text = `
select s.state, s.ordered, counted.backlog, due.next_attempt_at as oldest_due_at, blocking.*
from subscription s
cross join lateral (
  select count(*)::int as backlog
  from (select 1 from backlog b where b.subscription_id = s.id limit $3::int + 1) counted
) counted
left join lateral (
  select b.next_attempt_at
  from backlog b
  where b.ready
    and (b.shard, b.tenant_id, b.subscription_id) >= (s.shard, s.tenant_id, s.id)
    and (b.shard, b.tenant_id, b.subscription_id) <= (s.shard, s.tenant_id, s.id)
  order by b.shard, b.tenant_id, b.subscription_id, b.next_attempt_at
  limit 1
) due on true
left join lateral (
  select d.id as head_id, d.event_id, d.event_type,
         (select min(a.started_at) from attempt a where a.delivery_id = d.id) as since,
         case when head.leased_at is null then head.next_attempt_at end as next_attempt_at,
         d.attempt_count, d.last_failure_code, d.last_http_status
  from (
    select b.delivery_id, b.leased_at, b.next_attempt_at
    from backlog b
    where s.ordered and b.subscription_id = s.id
    order by b.subscription_id, b.delivery_id
    limit 1
  ) head
  join delivery d on d.id = head.delivery_id and d.state = 'retrying'
) blocking on true
where s.id = $1::uuid and ($2::text is null or s.tenant_id = $2) and s.deleted_at is null`
