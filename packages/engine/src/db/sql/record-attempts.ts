import { type AttemptTrigger, type FailureCode, type Uuid, uuidTime } from '@posthorn/contract'
import type { NextStep } from '../../schedule.ts'
import { bucketOf, countingIn, hostOf } from './attempt-rollup.ts'
import { plainArray, type Runner, run } from './statement.ts'

/** An attempt that was made, what came of it, and what follows. */
export type AttemptRecord = {
  id: Uuid
  tenantId: string
  deliveryId: Uuid
  eventId: Uuid
  subscriptionId: Uuid
  eventType: string
  number: number
  trigger: AttemptTrigger
  actor: string | null
  reason: string | null
  startedAt: Date
  url: string
  requestHeaders: Record<string, string>
  remoteAddress: string | null
  status: number | null
  failureCode: FailureCode | null
  failureDetail: string | null
  responseHeaders: Record<string, string>
  responseBody: Uint8Array
  responseTruncated: boolean
  waitMs: number
  dnsMs: number | null
  connectMs: number | null
  tlsMs: number | null
  firstByteMs: number | null
  totalMs: number
  next: NextStep
  /** The receiver is gone (410): its subscription is disabled. */
  gone: boolean
  /** Nothing more is sent to the subscription for so many milliseconds; 0 for no pause. */
  slowDownMs: number
  /** What it changes in the health of its subscription; null for nearly all. */
  health: HealthChange | null
}

/** What an attempt changes in the health of its subscription. */
export type HealthChange = {
  /** It is the first that failed since the last one that was accepted; or the first accepted one since one that failed. */
  failing?: 'begins' | 'ends'
  /** The circuit breaker opens, stays open because a probe failed, or closes. */
  breaker?:
    | { becomes: 'open'; probeInMs: number }
    | { becomes: 'still_open'; probeInMs: number; failedProbes: number }
    | { becomes: 'closed' }
}

export type RecordRow = {
  delivery_id: string
  state: string
  subscription_id: string
}

/**
 * Records attempts, moves their deliveries and lets the backlog go on, in one statement for everything that ended at
 * about the same time.
 *
 * The fence is `(delivery_id, attempt_number)`: only the holder of the lease moves its delivery. An attempt whose lease
 * was lost is still written down, over the `aborted` note that its successor left, and changes nothing else. Answers with
 * the deliveries that were moved.
 *
 * Each attempt is counted in the rollup of its minute by the same statement, and so exactly once (attempt-rollup.ts). One
 * that was counted as aborted, by its successor, is counted as what it was from then on.
 *
 * What the operator is to be told (a delivery that will not be made any more, a subscription that is disabled or has
 * recovered) is written down by the same statement, unless it is about the operator's own tenant.
 *
 * An item of a replay is settled with its attempt.
 *
 * Locks the backlog rows and deliveries of these attempts by primary key, items of replays likewise, and subscriptions, in
 * the order of their ids, only when they are disabled or slowed down or their health changes. Then the rows of the rollups.
 * Recording the same attempts twice does nothing the
 * second time.
 *
 * @param operatorTenant the tenant about which nobody is told
 */
export function recordAttempts(
  runner: Runner,
  records: readonly AttemptRecord[],
  operatorTenant: string | null = null,
): Promise<RecordRow[]> {
  const column = <T>(read: (record: AttemptRecord, place: number) => T): T[] => records.map(read)
  const plain = (read: (record: AttemptRecord) => Parameters<typeof plainArray>[0][number]) =>
    plainArray(records.map(read))
  return run<RecordRow>(runner, {
    name: 'record-attempts',
    text,
    values: [
      plain((r) => r.id),
      column((r) => r.tenantId),
      plain((r) => r.deliveryId),
      plain((r) => r.eventId),
      plain((r) => r.subscriptionId),
      plain((r) => r.number),
      column((r) => r.trigger),
      column((r) => r.actor),
      column((r) => r.reason),
      plain((r) => r.startedAt),
      column((r) => r.url),
      column((r) => JSON.stringify(r.requestHeaders)),
      column((r) => r.remoteAddress),
      plain((r) => r.status),
      column((r) => r.failureCode),
      column((r) => r.failureDetail),
      column((r) => JSON.stringify(r.responseHeaders)),
      column((r) => Buffer.from(r.responseBody.buffer, r.responseBody.byteOffset, r.responseBody.byteLength)),
      plain((r) => r.responseTruncated),
      plain((r) => r.waitMs),
      plain((r) => r.dnsMs),
      plain((r) => r.connectMs),
      plain((r) => r.tlsMs),
      plain((r) => r.firstByteMs),
      plain((r) => r.totalMs),
      column((r) => r.next.kind),
      plain((r) => (r.next.kind === 'retry' ? r.next.delayMs : null)),
      plain((r) => (r.next.kind === 'retry' ? r.next.scheduleStep : null)),
      plain((r) => r.gone),
      plain((r) => r.slowDownMs),
      column(({ health }, place) => (health === null ? null : JSON.stringify({ ...health, place }))),
      operatorTenant,
      plain((r) => minuteOf(r.id)),
      column((r) => r.eventType),
    ],
  })
}

/** The minute in which an attempt began. By its id: a note that its lease was lost and its record tell the same. */
function minuteOf(attemptId: Uuid): Date {
  return new Date(Math.floor(uuidTime(attemptId) / 60_000) * 60_000)
}

/** Why the attempt before failed: the delivery tells what came last, and may have gone on. */
const codeBefore = `(select a.failure_code from attempt a where a.delivery_id = o.delivery_id and a.number = o.number - 1 limit 1)`

const text = `
with outcome as materialized (
  select *
  from unnest($1::uuid[], $2::text[], $3::uuid[], $4::uuid[], $5::uuid[], $6::int[], $7::text[], $8::text[], $9::text[],
    $10::timestamptz[], $11::text[], $12::text[], $13::text[], $14::smallint[], $15::text[], $16::text[], $17::text[],
    $18::bytea[], $19::boolean[], $20::real[], $21::real[], $22::real[], $23::real[], $24::real[], $25::real[],
    $26::text[], $27::bigint[], $28::int[], $29::boolean[], $30::bigint[], $31::text[],
    $33::timestamptz[], $34::text[])
    as o (id, tenant_id, delivery_id, event_id, subscription_id, number, trigger, actor, reason,
      started_at, url, request_headers, remote_address, http_status, failure_code, failure_detail, response_headers,
      response_body, response_truncated, wait_ms, dns_ms, connect_ms, tls_ms, first_byte_ms, total_ms,
      next, delay_ms, schedule_step, gone, slow_down_ms, health, starts_at, event_type)
), logged as (
  insert into attempt (id, tenant_id, delivery_id, event_id, subscription_id, number, trigger, actor, reason, started_at,
    url, request_headers, remote_address, http_status, failure_code, failure_detail, response_headers, response_body,
    response_truncated, wait_ms, dns_ms, connect_ms, tls_ms, first_byte_ms, total_ms)
  select id, tenant_id, delivery_id, event_id, subscription_id, number, trigger, actor, reason, started_at,
    url, request_headers::json, remote_address, http_status, failure_code, failure_detail, response_headers::json, response_body,
    response_truncated, wait_ms, dns_ms, connect_ms, tls_ms, first_byte_ms, total_ms
  from outcome
  on conflict (id) do update
  set url = excluded.url, request_headers = excluded.request_headers, remote_address = excluded.remote_address,
      http_status = excluded.http_status, failure_code = excluded.failure_code, failure_detail = excluded.failure_detail,
      response_headers = excluded.response_headers, response_body = excluded.response_body,
      response_truncated = excluded.response_truncated, started_at = excluded.started_at, wait_ms = excluded.wait_ms,
      dns_ms = excluded.dns_ms, connect_ms = excluded.connect_ms, tls_ms = excluded.tls_ms,
      first_byte_ms = excluded.first_byte_ms, total_ms = excluded.total_ms, overtaken = true
  where attempt.failure_code = 'aborted' and excluded.failure_code is distinct from 'aborted'
  returning id, overtaken
), finished as (
  delete from backlog b
  using outcome o
  where b.delivery_id = o.delivery_id and b.attempt_number = o.number and b.leased_at is not null
    and o.next in ('delivered', 'failed')
  -- A delivery that had an attempt because a person asked had ended before, unless its schedule waited behind it.
  returning b.delivery_id, b.trigger = 'automatic' or b.resume_at is not null as was_owed, b.replay_id
), replayed as (
  -- An item of a replay has the one attempt: what came of it is what came of the item.
  update replay_item i
  set outcome = o.next, attempt_id = o.id, failure_code = o.failure_code, http_status = o.http_status, finished_at = now()
  from finished f
  join outcome o on o.delivery_id = f.delivery_id
  where f.replay_id is not null and i.replay_id = f.replay_id and i.delivery_id = f.delivery_id and i.outcome = 'under_way'
), postponed as (
  update backlog b
  set ready = false, leased_at = null, attempt_id = null,
      -- One that took no place in the schedule is made again as what it was: a resend stays one, and the schedule behind it waits.
      trigger = case when o.schedule_step = b.schedule_step then b.trigger else 'automatic' end,
      actor = case when o.schedule_step = b.schedule_step then b.actor end,
      reason = case when o.schedule_step = b.schedule_step then b.reason end,
      resume_at = case when o.schedule_step = b.schedule_step then b.resume_at end,
      next_attempt_at = case when o.next = 'resume' then b.resume_at else now() + o.delay_ms * interval '1 millisecond' end,
      schedule_step = coalesce(o.schedule_step, b.schedule_step)
  from outcome o
  where b.delivery_id = o.delivery_id and b.attempt_number = o.number and b.leased_at is not null
    and o.next in ('retry', 'resume')
  returning b.delivery_id
), advice as (
  select o.subscription_id, bool_or(o.gone) as gone, max(o.slow_down_ms) as slow_down_ms,
         bool_or(o.health ->> 'failing' = 'ends') as well_again,
         min(o.ended_at) filter (where o.health ->> 'failing' = 'begins') as failed_at,
         (array_agg(o.health ->> 'failing' order by (o.health -> 'place')::int desc) filter (where o.health ? 'failing'))[1] as failing,
         (array_agg(o.health -> 'breaker' order by (o.health -> 'place')::int desc) filter (where o.health ? 'breaker'))[1] as breaker
  from (
    select o.subscription_id, o.gone, o.slow_down_ms, o.health::jsonb as health,
           o.started_at + o.total_ms * interval '1 millisecond' as ended_at
    from outcome o
    where (o.gone or o.slow_down_ms > 0 or o.health is not null)
      and (o.delivery_id in (select delivery_id from finished) or o.delivery_id in (select delivery_id from postponed))
  ) o
  group by o.subscription_id
), advisee as materialized (
  -- As they are before they are changed.
  select s.id, s.tenant_id, s.failing_since, a.well_again and s.recovery_due as recovers,
         a.gone and s.state = 'active' as is_disabled,
         -- When the attempt ended by its process's clock, as far as the database's agrees.
         greatest(least(a.failed_at, now()), now() - interval '1 minute') as failed_at,
         a.slow_down_ms, a.well_again, a.failing, a.breaker ->> 'becomes' as breaker, (a.breaker -> 'probeInMs')::int as probe_in_ms,
         (a.breaker -> 'failedProbes')::int as failed_probes
  from advice a
  join subscription s on s.id = a.subscription_id
  where s.deleted_at is null
  order by s.id
  for no key update of s
), advised as (
  update subscription s
  set state = case when a.is_disabled then 'disabled' else s.state end,
      disabled_reason = case when a.is_disabled then 'gone' else s.disabled_reason end,
      state_changed_at = case when a.is_disabled then now() else s.state_changed_at end,
      not_before = case when a.slow_down_ms > 0
        then greatest(s.not_before, now() + a.slow_down_ms * interval '1 millisecond') else s.not_before end,
      failing_since = case when a.failing = 'ends' then null
                           when a.failing = 'begins' and a.well_again then a.failed_at
                           when a.failing = 'begins' then coalesce(s.failing_since, a.failed_at)
                           else s.failing_since end,
      failing_percent = case when a.well_again then 0 else s.failing_percent end,
      recovery_due = a.is_disabled or s.recovery_due and not coalesce(a.well_again, false),
      breaker_opened_at = case when a.breaker = 'closed' then null
                               when a.breaker = 'open' then coalesce(s.breaker_opened_at, now())
                               else s.breaker_opened_at end,
      breaker_probe_at = case when a.breaker = 'closed' then null
                              when a.breaker = 'open' and s.breaker_opened_at is null
                                or a.breaker = 'still_open' and s.breaker_opened_at is not null
                                then now() + a.probe_in_ms * interval '1 millisecond'
                              else s.breaker_probe_at end,
      breaker_failed_probes = case when a.breaker = 'closed' then 0
                                   when a.breaker = 'still_open' and s.breaker_opened_at is not null then a.failed_probes
                                   else s.breaker_failed_probes end
  from advisee a
  where s.id = a.id
), told as (
  insert into system_event (type, tenant_id, subscription_id, delivery_id, facts)
  select 'posthorn.delivery.exhausted', o.tenant_id, o.subscription_id, o.delivery_id, jsonb_build_object(
    'event_id', o.event_id, 'attempt_count', o.number, 'failure_code', o.failure_code, 'http_status', o.http_status)
  from outcome o
  join finished f on f.delivery_id = o.delivery_id and f.was_owed
  where o.next = 'failed' and o.tenant_id is distinct from $32::text
  union all
  select 'posthorn.subscription.disabled', a.tenant_id, a.id, null, jsonb_build_object('reason', 'gone', 'failing_since', coalesce(a.failing_since, a.failed_at))
  from advisee a
  where a.is_disabled and a.tenant_id is distinct from $32::text
  union all
  select 'posthorn.subscription.recovered', a.tenant_id, a.id, null, jsonb_build_object('failing_since', a.failing_since)
  from advisee a
  where a.recovers and a.tenant_id is distinct from $32::text
), counted as (
  select o.starts_at, o.tenant_id, o.subscription_id, o.event_type, o.trigger, coalesce(o.failure_code, '') as failure_code,
         ${hostOf('o.url')} as host, 1 as attempts,
         -- By both relations, so that the backlog is locked before the rollups.
         (case when o.next in ('delivered', 'failed') then o.delivery_id in (select delivery_id from finished)
               else o.delivery_id in (select delivery_id from postponed) end and o.next in ('delivered', 'failed'))::int as ended,
         (case when o.failure_code is null then false
               when o.number = 1 then true
               when l.overtaken then ${codeBefore} is distinct from o.failure_code
               else (select d.last_failure_code from delivery d where d.id = o.delivery_id) is distinct from o.failure_code
          end)::int as entered,
         o.started_at + o.total_ms * interval '1 millisecond' as at, o.delivery_id,
         -- Nobody knows how long an attempt would have taken that was broken off.
         case when o.failure_code is distinct from 'aborted' then ${bucketOf('o.wait_ms')} end as wait,
         case when o.failure_code is distinct from 'aborted' then ${bucketOf('o.total_ms')} end as time
  from logged l
  join outcome o on o.id = l.id
  union all
  -- The note of its successor was counted too, as it was then.
  select o.starts_at, o.tenant_id, o.subscription_id, o.event_type, o.trigger, 'aborted',
         ${hostOf('coalesce((select a.url from attempt a where a.id = o.id), o.url)')}, -1, 0,
         -(o.number = 1 or ${codeBefore} is distinct from 'aborted')::int, null, null, null, null
  from logged l
  join outcome o on o.id = l.id
  where l.overtaken
), rolled_up as (${countingIn('counted')}
)
update delivery d
set state = case when o.next = 'delivered' then 'delivered'
                 when o.next <> 'failed' then 'retrying'
                 -- A resend that failed does not undo that the receiver accepted the event before.
                 when d.delivered_at is not null then 'delivered'
                 else 'failed' end,
    attempt_count = greatest(d.attempt_count, o.number),
    last_failure_code = o.failure_code,
    last_http_status = o.http_status,
    delivered_at = case when o.next = 'delivered' then coalesce(d.delivered_at, now()) else d.delivered_at end,
    finished_at = case when o.next in ('delivered', 'failed') then now() end
from outcome o
where d.id = o.delivery_id
  and (o.delivery_id in (select delivery_id from finished) or o.delivery_id in (select delivery_id from postponed))
returning d.id as delivery_id, d.state, d.subscription_id`
