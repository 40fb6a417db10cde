import type { SignatureScheme, Uuid } from '@posthorn/contract'
import { rateBurstSeconds } from '../../rate-limit.ts'
import { type Runner, run } from './statement.ts'

export type ClaimRequest = {
  /** The shards we own, in the order in which they are served, and the tenant of each that had the last turn ('' for none). */
  shards: readonly number[]
  afterTenants: readonly string[]
  /** Where a tenant's last turn in a shard ended in the middle of its subscriptions: shard → tenant → subscription. */
  afterSubscriptions: ReadonlyMap<number, ReadonlyMap<string, Uuid>>
  /** Tenants that a shard may be asked for in this claim, and subscriptions in all, two of a tenant at least. */
  tenantsPerShard: number
  subscriptionsPerShard: number
  /** Deliveries one subscription may give in this turn. */
  deliveriesPerSubscription: number
  /** Deliveries of subscriptions, and of tenants, that have some in flight here. */
  inFlight: ReadonlyMap<Uuid, number>
  inFlightOfTenants: ReadonlyMap<string, number>
  /** What may begin now of subscriptions with a rate limit. Those that are not named here are rested. */
  allowed: ReadonlyMap<Uuid, number>
  /** Subscriptions in the slow lane, the one that has waited longest for its turn first, and what they may give together. */
  slow: readonly Uuid[]
  slowMax: number
  /** One new id an attempt; their number is the number of deliveries claimed at the most. */
  attemptIds: readonly Uuid[]
  /** What the lease lasts beyond the subscription's own time-out, in milliseconds. */
  leaseMarginMs: number
}

/** Says that a subscription had its turn. */
type TurnRow = {
  shard: number
  tenant_id: string
  /** 1 for the first tenant of the shard in this claim, and for the first subscription of the tenant in the shard. */
  turn: number
  turn_of_tenant: number
  subscription_id: string
  /** Deliveries that the subscription could have given; null while it is paused, disabled or slowed down. */
  room: number | null
  /** Whether it had to wait because others of the slow lane come first. */
  waits: boolean
  rate_limit_per_second: number | null
  delivery_id: null
  place: null
}

/** A claimed delivery. */
export type ClaimedRow = Omit<TurnRow, 'delivery_id' | 'place'> & {
  delivery_id: string
  /** 1 for the first delivery that was claimed. */
  place: number
  event_id: string
  attempt_id: string
  attempt_number: number
  schedule_step: number
  trigger: string
  actor: string | null
  reason: string | null
  resume_at: Date | null
  /** How long the delivery had been due, in milliseconds. */
  waited_ms: number
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
  type: string
  timestamp: Date
  data: string
  /** The version of the schema that the data fits; null when it was held to none, or does not fit. */
  schema_version: number | null
}

/** One row for each subscription that had its turn, and one for each delivery claimed; in no order. */
export type ClaimRow = TurnRow | ClaimedRow

/**
 * Claims due deliveries of many subscriptions, taking turns: first between tenants, then between the subscriptions of a
 * tenant, whatever each of them holds.
 *
 * In each owned shard it hops on `backlog_ready_idx` from one tenant with due work to the next, and within a tenant from
 * one subscription to the next, one probe a hop however many rows it passes; a subscription with a million waiting
 * deliveries, and a tenant with a thousand such subscriptions, cost the others nothing. Free slots go to the tenant that
 * has the fewest requests in flight: each turn is ranked by what its tenant has in flight and has been given before it.
 * While several tenants have work, one turn gives no more than brings its tenant up to what all of them would have in
 * flight if they had equally many.
 *
 * Of an ordered subscription only the oldest unfinished delivery is claimed, found on
 * `backlog_subscription_id_delivery_id_idx` among those that are due, that wait and that are in flight; while it is not
 * due, or while held ones are being put back, the subscription gives nothing.
 *
 * A claim counts the attempt and moves `next_attempt_at` to the end of the lease: a row whose dispatcher dies becomes due
 * again by itself. Nothing is claimed that may not be sent now: limits by rate and by number bound the rows taken.
 *
 * Locks the claimed rows, and skips rows that another caller has locked: two callers never claim the same delivery. A
 * shard owned by two dispatchers for a moment is therefore safe, only less fair.
 */
export function claimDeliveries(runner: Runner, request: ClaimRequest): Promise<ClaimRow[]> {
  return run<ClaimRow>(runner, {
    name: 'claim-deliveries',
    text,
    values: [
      request.shards,
      request.afterTenants,
      JSON.stringify(objectOf(request.afterSubscriptions, (places) => objectOf(places))),
      request.tenantsPerShard,
      request.subscriptionsPerShard,
      request.deliveriesPerSubscription,
      JSON.stringify(objectOf(request.inFlight)),
      JSON.stringify(objectOf(request.inFlightOfTenants)),
      JSON.stringify(objectOf(request.allowed)),
      request.slow,
      request.slowMax,
      request.attemptIds,
      request.leaseMarginMs,
      rateBurstSeconds,
    ],
  })
}

function objectOf<Value>(map: ReadonlyMap<string | number, Value>, of: (value: Value) => unknown = (value) => value) {
  return Object.fromEntries([...map].map(([key, value]) => [key, of(value)]))
}

const text = `
with found as materialized (
  select owned.shard, owned.place, t.n, t.tenant_id, u.i, u.subscription_id
  from unnest($1::smallint[], $2::text[]) with ordinality as owned (shard, after, place)
  cross join lateral (
    -- From the tenant behind the last one round to that one.
    with recursive hop as (
      (select b.tenant_id, 1 as n, b.tenant_id <= owned.after as again
       from backlog b
       where b.ready and b.shard = owned.shard
         and b.tenant_id >= coalesce(
           (select c.tenant_id from backlog c
            where c.ready and c.shard = owned.shard and c.tenant_id > owned.after
            order by c.tenant_id limit 1), '')
       order by b.tenant_id
       limit 1)
      union all
      select next.tenant_id, hop.n + 1, next.again
      from hop
      cross join lateral (
        (select b.tenant_id, hop.again
         from backlog b
         where b.ready and b.shard = owned.shard and b.tenant_id > hop.tenant_id
         order by b.tenant_id
         limit 1)
        union all
        (select b.tenant_id, true
         from backlog b
         where not hop.again and owned.after <> '' and b.ready and b.shard = owned.shard
         order by b.tenant_id
         limit 1)
        limit 1
      ) next
      where hop.n < $4::int and (not next.again or next.tenant_id <= owned.after)
    )
    select tenant_id, n, greatest(2, ceil($5::float8 / count(*) over ())) as subscriptions from hop
  ) t
  cross join lateral (
    with recursive hop as (
      select coalesce(
        (select b.subscription_id
         from backlog b
         where b.ready and b.shard = owned.shard and b.tenant_id = t.tenant_id
           and b.subscription_id > ($3::jsonb -> owned.shard::text ->> t.tenant_id)::uuid
         order by b.subscription_id
         limit 1),
        (select b.subscription_id
         from backlog b
         where b.ready and b.shard = owned.shard and b.tenant_id = t.tenant_id
         order by b.subscription_id
         limit 1)) as subscription_id, 1 as i
      union all
      select next.subscription_id, hop.i + 1
      from hop
      cross join lateral (
        select b.subscription_id
        from backlog b
        where b.ready and b.shard = owned.shard and b.tenant_id = t.tenant_id and b.subscription_id > hop.subscription_id
        order by b.subscription_id
        limit 1
      ) next
      where hop.i < t.subscriptions
    )
    select subscription_id, i from hop
  ) u
), possible as materialized (
  select f.*, s.timeout_ms, s.rate_limit_per_second, s.ordered, s.head_id, slow.place as slow_place,
         case when s.state = 'active' and s.deleted_at is null and (s.not_before is null or s.not_before <= now())
           then least(
             case when s.ordered and s.head_id is null then 0
                  when s.ordered or slow.place is not null then 1 else $6::int end,
             case when s.ordered then 1 else s.max_in_flight end - coalesce(($7::jsonb ->> s.id::text)::int, 0),
             case when s.rate_limit_per_second is not null
               then coalesce(($9::jsonb ->> s.id::text)::int, greatest(1, floor(s.rate_limit_per_second * $14::float8)))
             end)::int end as room
  from found f
  left join lateral (
    select s.*, case when s.ordered and not s.releasing then (
             select case when head.ready then head.delivery_id end
             from (select b.delivery_id, b.ready
                   from backlog b
                   where b.subscription_id = s.id
                   order by b.subscription_id, b.delivery_id
                   limit 1) head
           ) end as head_id
    from subscription s
    where s.id = f.subscription_id
    limit 1
  ) s on true
  left join unnest($10::uuid[]) with ordinality as slow (id, place) on slow.id = f.subscription_id
), turn as materialized (
  select p.*, coalesce(($8::jsonb ->> p.tenant_id)::int, 0) as in_flight,
         coalesce(p.room > 0 and p.slow_place is not null, false)
           and row_number() over (partition by p.room > 0, p.slow_place is not null order by p.slow_place) > $11::int as waits
  from possible p
), level as (
  -- What each tenant would have in flight if they all had equally many.
  select ceil((cardinality($12::uuid[]) + sum(in_flight)) / count(*)::float8)::int as deliveries
  from (select distinct tenant_id, in_flight from turn where room > 0 and not waits) tenant
), offer as materialized (
  select t.*, case when t.room is not null
    then least(t.room, greatest(1, level.deliveries - t.in_flight)) end as part
  from turn t
  cross join level
), queue as (
  select o.*, o.in_flight + coalesce(sum(o.part) over (
    partition by o.tenant_id order by o.i, o.n, o.place rows between unbounded preceding and 1 preceding), 0) as ahead
  from offer o
  where o.part > 0 and not o.waits
), picked as materialized (
  select row.delivery_id, row.next_attempt_at, q.shard, q.n, q.i, q.part, q.rate_limit_per_second, q.timeout_ms,
         row_number() over () as place
  from (select * from queue order by ahead, i, n, place) q
  cross join lateral (
    select *
    from (
      select b.delivery_id, b.next_attempt_at
      from backlog b
      -- Compared as a row, so that no other index can be chosen than the one that has its rows in this order.
      where not q.ordered and b.ready
        and (b.shard, b.tenant_id, b.subscription_id) >= (q.shard, q.tenant_id, q.subscription_id)
        and (b.shard, b.tenant_id, b.subscription_id) <= (q.shard, q.tenant_id, q.subscription_id)
      order by b.shard, b.tenant_id, b.subscription_id, b.next_attempt_at
      limit q.part
      for update skip locked
    ) due
    union all
    select *
    from (
      select b.delivery_id, b.next_attempt_at
      from backlog b
      where q.ordered and b.ready and b.delivery_id = q.head_id
      for update skip locked
    ) head
  ) row
  limit cardinality($12::uuid[])
), claimed as (
  update backlog b
  set ready = false,
      leased_at = now(),
      next_attempt_at = now() + (p.timeout_ms + $13::int) * interval '1 millisecond',
      attempt_number = b.attempt_number + 1,
      attempt_id = ($12::uuid[])[p.place]
  from picked p
  -- The array says that they are few, so that they are looked up by primary key.
  where b.delivery_id = p.delivery_id and b.delivery_id = any(array(select delivery_id from picked))
  returning b.*, p.n, p.i, p.part, p.rate_limit_per_second, p.place,
    greatest(0, extract(epoch from now() - p.next_attempt_at) * 1000)::float8 as waited_ms
)
select t.shard, t.tenant_id, t.n::int as turn, t.i::int as turn_of_tenant, t.subscription_id,
       t.part as room, t.waits, t.rate_limit_per_second,
       null::uuid as delivery_id, null::int as place, null::uuid as event_id, null::uuid as attempt_id, null::int as attempt_number,
       null::int as schedule_step, null as trigger, null as actor, null as reason, null::timestamptz as resume_at,
       null::float8 as waited_ms, null as url, null::jsonb as headers, null::int as timeout_ms, null::int[] as retry_schedule_seconds,
       null::json as keys, null as payload_format, null::int[] as final_statuses, null::bytea as auth_sealed, null::bytea as tls_sealed,
       null as type, null::timestamptz as "timestamp", null as data, null::int as schema_version
from offer t
union all
select c.shard, c.tenant_id, c.n::int, c.i::int, c.subscription_id, c.part, false, c.rate_limit_per_second,
       c.delivery_id, c.place::int, c.event_id, c.attempt_id, c.attempt_number,
       c.schedule_step, c.trigger, c.actor, c.reason, c.resume_at,
       c.waited_ms, s.url, s.headers, s.timeout_ms, s.retry_schedule_seconds,
       (
         select coalesce(json_agg(json_build_object('id', k.id, 'scheme', k.scheme, 'sealed',
             translate(encode(k.sealed_key, 'base64'), E'\\n', '')) order by k.expires_at desc nulls first, k.id desc), '[]')
         from secret k
         where k.subscription_id = c.subscription_id and (k.expires_at is null or k.expires_at > now())
       ),
       s.payload_format, s.final_statuses, s.auth_sealed, s.tls_sealed,
       e.type, e."timestamp", e.data, case when e.validation_errors is null then e.schema_version end
from claimed c
cross join lateral (select * from subscription where subscription.id = c.subscription_id limit 1) s
cross join lateral (select * from event where event.id = c.event_id limit 1) e`
