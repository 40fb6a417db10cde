import type { SignatureScheme, Uuid } from '@posthorn/contract'
import { type Runner, run } from './statement.ts'

export type ClaimRequest = {
  /** The shards we own, in the order in which they are served, and where in each the last turn ended (nil at its start). */
  shards: readonly number[]
  after: readonly Uuid[]
  /** Subscriptions a shard may be asked for in this turn. */
  subscriptionsPerShard: number
  /** Deliveries one subscription may give in this turn. */
  deliveriesPerSubscription: number
  /** Deliveries of subscriptions that have some in flight here. */
  inFlight: ReadonlyMap<Uuid, number>
  /** One new id an attempt; their number is the number of deliveries claimed at the most. */
  attemptIds: readonly Uuid[]
  /** What the lease lasts beyond the subscription's own time-out, in milliseconds. */
  leaseMarginMs: number
}

/** Says that a subscription had its turn. */
type TurnRow = {
  shard: number
  /** 1 for the first subscription of the shard in this claim. */
  turn: number
  subscription_id: string
  /** Deliveries that the subscription could have given; null while it is paused, disabled or slowed down. */
  room: number | null
  delivery_id: null
}

/** A claimed delivery. */
export type ClaimedRow = Omit<TurnRow, 'delivery_id'> & {
  delivery_id: string
  tenant_id: string
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
  type: string
  timestamp: Date
  data: string
  /** The version of the schema that the data fits; null when it was held to none, or does not fit. */
  schema_version: number | null
}

/** One row for each subscription that had its turn, and one for each delivery claimed; in no order. */
export type ClaimRow = TurnRow | ClaimedRow

/**
 * Claims due deliveries of many subscriptions, taking turns: each subscription gives a few, whatever the others hold.
 *
 * In each owned shard it hops from one subscription with due work to the next on `backlog_ready_idx`, one probe a
 * subscription however many rows it has, so a subscription with a million waiting deliveries costs the others nothing.
 * A claim counts the attempt and moves `next_attempt_at` to the end of the lease: a row whose dispatcher dies becomes due
 * again by itself.
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
      request.after,
      request.subscriptionsPerShard,
      request.deliveriesPerSubscription,
      JSON.stringify(Object.fromEntries(request.inFlight)),
      request.attemptIds,
      request.leaseMarginMs,
    ],
  })
}

const text = `
with turn as materialized (
  select owned.shard, owned.place, hop.n, hop.subscription_id, s.timeout_ms,
         case when s.state = 'active' and s.deleted_at is null and (s.not_before is null or s.not_before <= now())
           then least($4::int, s.max_in_flight - coalesce(($5::jsonb ->> s.id::text)::int, 0)) end as room
  from unnest($1::smallint[], $2::uuid[]) with ordinality as owned (shard, after, place)
  cross join lateral (
    with recursive hop as (
      (select b.subscription_id, 1 as n
       from backlog b
       where b.ready and b.shard = owned.shard and b.subscription_id > owned.after
       order by b.subscription_id
       limit 1)
      union all
      select next.subscription_id, hop.n + 1
      from hop
      cross join lateral (
        select b.subscription_id
        from backlog b
        where b.ready and b.shard = owned.shard and b.subscription_id > hop.subscription_id
        order by b.subscription_id
        limit 1
      ) next
      where hop.n < $3::int
    )
    select subscription_id, n from hop
  ) hop
  join subscription s on s.id = hop.subscription_id
), picked as materialized (
  select row.delivery_id, row.next_attempt_at, t.n, t.room, t.timeout_ms, row_number() over () as place
  from (select * from turn where room > 0 order by n, place) t
  cross join lateral (
    select b.delivery_id, b.next_attempt_at
    from backlog b
    where b.ready and b.shard = t.shard and b.subscription_id = t.subscription_id
    order by b.next_attempt_at
    limit t.room
    for update skip locked
  ) row
  limit cardinality($6::uuid[])
), claimed as (
  update backlog b
  set ready = false,
      leased_at = now(),
      next_attempt_at = now() + (p.timeout_ms + $7::int) * interval '1 millisecond',
      attempt_number = b.attempt_number + 1,
      attempt_id = ($6::uuid[])[p.place]
  from picked p
  where b.delivery_id = p.delivery_id
  returning b.*, p.n, p.room, greatest(0, extract(epoch from now() - p.next_attempt_at) * 1000)::float8 as waited_ms
)
select shard, n::int as turn, subscription_id, room,
       null::uuid as delivery_id, null as tenant_id, null::uuid as event_id, null::uuid as attempt_id, null::int as attempt_number,
       null::int as schedule_step, null as trigger, null as actor, null as reason, null::timestamptz as resume_at,
       null::float8 as waited_ms, null as url, null::jsonb as headers, null::int as timeout_ms, null::int[] as retry_schedule_seconds,
       null::json as keys, null as payload_format, null::int[] as final_statuses, null::bytea as auth_sealed,
       null as type, null::timestamptz as "timestamp", null as data, null::int as schema_version
from turn
union all
select c.shard, c.n::int, c.subscription_id, c.room,
       c.delivery_id, c.tenant_id, c.event_id, c.attempt_id, c.attempt_number,
       c.schedule_step, c.trigger, c.actor, c.reason, c.resume_at,
       c.waited_ms, s.url, s.headers, s.timeout_ms, s.retry_schedule_seconds,
       (
         select coalesce(json_agg(json_build_object('id', k.id, 'scheme', k.scheme, 'sealed',
             translate(encode(k.sealed_key, 'base64'), E'\\n', '')) order by k.expires_at desc nulls first, k.id desc), '[]')
         from secret k
         where k.subscription_id = c.subscription_id and (k.expires_at is null or k.expires_at > now())
       ),
       s.payload_format, s.final_statuses, s.auth_sealed,
       e.type, e."timestamp", e.data, case when e.validation_errors is null then e.schema_version end
from claimed c
cross join lateral (select * from subscription where subscription.id = c.subscription_id limit 1) s
cross join lateral (select * from event where event.id = c.event_id limit 1) e`
