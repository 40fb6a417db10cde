import type { SignatureScheme, Uuid } from '@posthorn/contract'
import { plainArray, type Runner, run } from './statement.ts'

/** How much a subscription may give in this claim. */
export type Offer = {
  shard: number
  tenantId: string
  subscriptionId: Uuid
  /** Deliveries at the most. */
  part: number
  /** Deliveries of it that are in flight here. */
  inFlight: number
  /** Only deliveries that became due then or later; null for all. An ordered subscription gives its head all the same. */
  dueFrom: Date | null
}

export type ClaimRequest = {
  /** The first ones first. */
  offers: readonly Offer[]
  /** One new id an attempt; their number is the number of deliveries claimed at the most. */
  attemptIds: readonly Uuid[]
  /** What the lease lasts beyond the subscription's own time-out, in milliseconds. */
  leaseMarginMs: number
}

/** What a subscription says of all its deliveries. */
export type SubscriptionColumns = {
  url: string
  headers: Record<string, string>
  timeout_ms: number
  retry_schedule_seconds: number[]
  /** The keys to sign with, as they are stored: sealed, in base64. The current one of each scheme first. */
  keys: { id: string; scheme: SignatureScheme; sealed: string }[]
  payload_format: string
  final_statuses: number[]
  /** Credentials for the receiver, sealed. */
  auth_sealed: Uint8Array | null
  /** Client certificate and authorities, sealed. */
  tls_sealed: Uint8Array | null
  /** JSONata, or null. */
  transform: string | null
  max_in_flight: number
  rate_limit_per_second: number | null
  ordered: boolean
  /** Its last accepted attempt is behind a failed one; or that is so no more, and nobody has been told yet. */
  ailing: 'failing' | 'recovering' | null
  /** Probes that have failed since its circuit breaker opened; null while it is closed. */
  breaker_failed_probes: number | null
}

/** A claimed delivery. */
export type DeliveryColumns = {
  /** The place of its subscription's offer, from 1. */
  offer: number
  delivery_id: string
  tenant_id: string
  subscription_id: string
  event_id: string
  attempt_id: string
  attempt_number: number
  schedule_step: number
  trigger: string
  actor: string | null
  reason: string | null
  resume_at: Date | null
  /** The replay that the attempt is made for. */
  replay_id: string | null
  /** Since when the delivery had been due, and how long that is, in milliseconds. */
  due_at: Date
  waited_ms: number
  type: string
  timestamp: Date
  data: string
  /** The business keys of the event, only where there is a transform that may ask for them. */
  keys_of_event: Record<string, string> | null
  /** The trace that the event was published in, only where the subscription asks for it. */
  traceparent: string | null
  /** What the publisher has given along for every request; null for nothing. */
  headers_of_event: Record<string, string> | null
  /** The version of the schema that the data fits; null when it was held to none, or does not fit. */
  schema_version: number | null
}

export type ClaimedRow = DeliveryColumns & { subscription: SubscriptionColumns }

/** Only the first row of a subscription in an answer carries what its subscription says. */
type AnsweredRow = DeliveryColumns & (SubscriptionColumns | { url: null })

/**
 * Claims due deliveries of the subscriptions that are offered, in the order of the offers, until there are as many as
 * there are ids for attempts.
 *
 * Of each subscription the deliveries that have been due longest, by `backlog_ready_idx`. What was claimed leaves dead
 * entries behind at the front of its part of that index, which every claim passes until they can be cleaned up, and they
 * cannot while any transaction holds an older snapshot: `dueFrom` lets a claim begin behind them. Of an ordered one the oldest
 * unfinished delivery alone, found on `backlog_subscription_id_delivery_id_idx` among those that are due, that wait and
 * that are in flight; while it is not due, or while held ones are being put back, the subscription gives nothing. Nor does
 * one that is paused, disabled or deleted meanwhile.
 *
 * While the circuit breaker of a subscription is open, one delivery is claimed when a probe is due and nothing of it is
 * in flight; beside that only what a person asked for, one at a time, found on `backlog_asked_idx`. While its receiver has
 * asked for a pause, only what a person resends, one at a time: a replay is many, and waits as everything else.
 *
 * A claim counts the attempt and moves `next_attempt_at` to the end of the lease: a row whose dispatcher dies becomes due
 * again by itself.
 *
 * Locks the claimed rows, and skips rows that another caller has locked: two callers never claim the same delivery. A
 * shard owned by two dispatchers for a moment is therefore safe, only less fair.
 */
export async function claimDeliveries(runner: Runner, request: ClaimRequest): Promise<ClaimedRow[]> {
  const { offers } = request
  const rows = await run<AnsweredRow>(runner, {
    name: 'claim-deliveries',
    text,
    values: [
      plainArray(offers.map((offer) => offer.shard)),
      offers.map((offer) => offer.tenantId),
      plainArray(offers.map((offer) => offer.subscriptionId)),
      plainArray(offers.map((offer) => offer.part)),
      plainArray(offers.map((offer) => offer.inFlight)),
      plainArray(request.attemptIds),
      request.leaseMarginMs,
      plainArray(offers.map((offer) => offer.dueFrom)),
    ],
  })
  const said = new Map<number, SubscriptionColumns>()
  return rows.flatMap((row) => {
    if (row.url !== null) said.set(row.offer, row)
    const subscription = said.get(row.offer)
    return subscription === undefined ? [] : Object.assign(row, { subscription })
  })
}

const text = `
with picked as materialized (
  select due.delivery_id, due.next_attempt_at, q.place as offer, q.timeout_ms, q.transforms, q.forward_traceparent, row_number() over () as place
  from (
    select o.*, s.timeout_ms, s.ordered, s.transform is not null as transforms, s.forward_traceparent, breaker.*,
           least(case when s.breaker_opened_at is not null or breaker.is_slowed then 1 else o.part end,
             case when s.ordered then 1 else s.max_in_flight end - o.in_flight) as allowed,
           case when s.ordered and not s.releasing then (
             select case when head.ready and (not breaker.holds_back or head.trigger = any(breaker.lets_through)) then head.delivery_id end
             from (select b.delivery_id, b.ready, b.trigger
                   from backlog b
                   where b.subscription_id = s.id
                   order by b.subscription_id, b.delivery_id
                   limit 1) head
           ) end as head_id
    from (
      select *
      from unnest($1::smallint[], $2::text[], $3::uuid[], $4::int[], $5::int[], $8::timestamptz[])
        with ordinality as o (shard, tenant_id, subscription_id, part, in_flight, due_from, place)
      order by place
    ) o
    cross join lateral (
      select *
      from subscription
      where id = o.subscription_id and state = 'active' and deleted_at is null
      limit 1
    ) s
    cross join lateral (select coalesce(s.not_before > now(), false) as is_slowed) pause
    cross join lateral (
      -- Open, and no probe is due, or something is in flight.
      select pause.is_slowed,
             pause.is_slowed or s.breaker_opened_at is not null and (s.breaker_probe_at > now() or o.in_flight > 0) as holds_back,
             case when pause.is_slowed then '{resend}' else '{resend,replay}' end::text[] as lets_through
    ) breaker
  ) q
  cross join lateral (
    select *
    from (
      select b.delivery_id, b.next_attempt_at
      from backlog b
      -- Compared as a row, so that no other index can be chosen than the one that has its rows in this order.
      where not q.ordered and not q.holds_back and b.ready
        and (b.shard, b.tenant_id, b.subscription_id, b.next_attempt_at)
          >= (q.shard, q.tenant_id, q.subscription_id, coalesce(q.due_from, '-infinity'))
        and (b.shard, b.tenant_id, b.subscription_id) <= (q.shard, q.tenant_id, q.subscription_id)
      order by b.shard, b.tenant_id, b.subscription_id, b.next_attempt_at
      limit greatest(0, q.allowed)
      for update skip locked
    ) due
    union all
    select *
    from (
      select b.delivery_id, b.next_attempt_at
      from backlog b
      where q.ordered and q.allowed > 0 and b.ready and b.delivery_id = q.head_id
      for update skip locked
    ) head
    union all
    select *
    from (
      select b.delivery_id, b.next_attempt_at
      from backlog b
      -- Not automatic, though what is let through says so too: that is the condition of the index.
      where not q.ordered and q.holds_back and b.ready and b.trigger <> 'automatic' and b.trigger = any(q.lets_through)
        and b.subscription_id = q.subscription_id
      order by b.next_attempt_at
      limit greatest(0, q.allowed)
      for update skip locked
    ) asked
  ) due
  limit cardinality($6::uuid[])
), numbered as materialized (
  select picked.*, row_number() over (partition by offer order by place) = 1 as is_first from picked
), claimed as (
  update backlog b
  set ready = false,
      leased_at = now(),
      next_attempt_at = now() + (p.timeout_ms + $7::int) * interval '1 millisecond',
      attempt_number = b.attempt_number + 1,
      attempt_id = ($6::uuid[])[p.place]
  from numbered p
  -- The array says that they are few, so that they are looked up by primary key.
  where b.delivery_id = p.delivery_id and b.delivery_id = any(array(select delivery_id from picked))
  returning b.*, p.offer, p.place, p.is_first, p.transforms, p.forward_traceparent, p.next_attempt_at as due_at,
    greatest(0, extract(epoch from now() - p.next_attempt_at) * 1000)::float8 as waited_ms
)
select c.offer::int, c.delivery_id, c.tenant_id, c.subscription_id, c.event_id, c.attempt_id, c.attempt_number,
       c.schedule_step, c.trigger, c.actor, c.reason, c.resume_at, c.replay_id, c.due_at, c.waited_ms,
       e.type, e."timestamp", e.data, case when e.validation_errors is null then e.schema_version end as schema_version,
       case when c.transforms then e.keys end as keys_of_event,
       case when c.forward_traceparent then e.traceparent end as traceparent, e.headers as headers_of_event,
       s.url, s.headers, s.timeout_ms, s.retry_schedule_seconds, s.keys, s.payload_format, s.final_statuses, s.auth_sealed,
       s.tls_sealed, s.transform, s.max_in_flight, s.rate_limit_per_second, s.ordered,
       case when s.failing_since is not null then 'failing' when s.recovery_due then 'recovering' end as ailing,
       case when s.breaker_opened_at is not null then s.breaker_failed_probes end as breaker_failed_probes
from claimed c
cross join lateral (select * from event where event.id = c.event_id limit 1) e
left join lateral (
  select subscription.*, (
    select coalesce(json_agg(json_build_object('id', k.id, 'scheme', k.scheme, 'sealed',
        translate(encode(k.sealed_key, 'base64'), E'\\n', '')) order by k.expires_at desc nulls first, k.id desc), '[]')
    from secret k
    where k.subscription_id = subscription.id and not k.ended and (k.expires_at is null or k.expires_at > now())
  ) as keys
  from subscription
  where subscription.id = c.subscription_id and c.is_first
  limit 1
) s on true
order by c.place`
