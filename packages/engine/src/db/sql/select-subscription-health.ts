import type { DisabledReason, FailureCode, SubscriptionState, Uuid } from '@posthorn/contract'
import { type Runner, run } from './statement.ts'

export type SubscriptionHealthRow = {
  state: SubscriptionState
  disabled_reason: DisabledReason | null
  /** Of the newest deliveries: how many were accepted in the window, and how many attempts failed in it. */
  accepted: number
  failed: number
  /** Failed attempts since the last accepted one; one more than `attemptsMax` when there are more than that. */
  failures: number
  failing_since: Date | null
  breaker_opened_at: Date | null
  breaker_probe_at: Date | null
  breaker_failed_probes: number
  /** The next probe may be made now. */
  probe_due: boolean
  ordered: boolean
  /** One more than `countMax` when there are more than that. */
  backlog: number
  /** Likewise. */
  held: number
  not_before: Date | null
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

export type SubscriptionHealthRequest = {
  subscriptionId: Uuid
  tenantId: string | null
  /** Of the backlog. */
  countMax: number
  /** Of attempts: those of so many minutes, and so many at the most, of as many of the newest deliveries. */
  minutes: number
  attemptsMax: number
  /** Failures that do not count. */
  ours: readonly FailureCode[]
}

/**
 * How a subscription does and how far it is with its work. Answers with no row when there is no such subscription (within a tenant,
 * unless `tenantId` is null).
 *
 * Locks nothing. Walks `backlog_subscription_id_delivery_id_idx` for the head and for at most `countMax` entries to count,
 * `backlog_ready_idx` for what has been due longest, `delivery_subscription_id_id_idx` backwards for
 * `attemptsMax` deliveries, `attempt_failed_idx` for as many failures of the window and as many since it fails, and `attempt_delivery_id_number_idx` of every day for one attempt.
 */
export async function selectSubscriptionHealth(
  runner: Runner,
  request: SubscriptionHealthRequest,
): Promise<SubscriptionHealthRow | undefined> {
  const rows = await run<SubscriptionHealthRow>(runner, {
    name: 'select-subscription-health',
    text,
    values: [
      request.subscriptionId,
      request.tenantId,
      request.countMax,
      request.minutes,
      request.attemptsMax,
      request.ours,
    ],
  })
  return rows[0]
}

const text = `
select s.state, s.disabled_reason, s.ordered, s.failing_since, s.breaker_opened_at, s.breaker_probe_at,
       s.breaker_failed_probes, coalesce(s.breaker_probe_at <= now(), false) as probe_due,
       tried.accepted, tried.failed, failing.failures,
       counted.backlog, counted.held, case when s.not_before > now() then s.not_before end as not_before,
       due.next_attempt_at as oldest_due_at, blocking.*
from subscription s
cross join lateral (
  -- The newest deliveries, and what was tried of them in the window. Ids carry the time.
  with sample as materialized (
    select d.id, d.delivered_at
    from delivery d
    where d.subscription_id = s.id
    order by d.id desc
    limit $5::int
  )
  select (select count(*) from sample where delivered_at >= now() - $4::int * interval '1 minute')::int as accepted,
         (select count(*)
          from (
            select
            from attempt a
            where a.subscription_id = s.id and a.failure_code is not null and a.trigger = 'automatic'
              and a.failure_code <> all($6::text[])
              and a.id >= (lpad(to_hex((extract(epoch from now() - $4::int * interval '1 minute') * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid
              and a.delivery_id >= (select id from sample order by id limit 1)
            order by a.id desc
            limit $5::int
          ) failed)::int as failed
) tried
cross join lateral (
  -- Those that ended since it fails. An attempt takes half a minute at the most.
  select count(*)::int as failures
  from (
    select
    from attempt a
    where a.subscription_id = s.id and a.failure_code is not null and a.trigger = 'automatic' and a.failure_code <> all($6::text[])
      and a.id >= (lpad(to_hex((extract(epoch from s.failing_since - interval '1 minute') * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid
      and a.started_at + a.total_ms * interval '1 millisecond' >= s.failing_since - interval '1 millisecond'
    order by a.id desc
    limit $5::int + 1
  ) a
) failing
cross join lateral (
  select (select count(*) from (select from backlog b where b.subscription_id = s.id limit $3::int + 1) few)::int as backlog,
         (select count(*) from (select from delivery d where d.held and d.subscription_id = s.id limit $3::int + 1) few)::int as held
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
