import type { DeliveryState, Uuid } from '@posthorn/contract'
import { type Runner, run } from './statement.ts'

export type FeedRequest = {
  replayId: Uuid
  /** The states of deliveries that it sends. */
  states: readonly DeliveryState[]
  /** The subscription behind which to go on; null to begin. */
  behind: Uuid | null
  /** Subscriptions looked at. */
  lanesMax: number
  /** Items of one replay that are due or in flight at once, and of one subscription. */
  underWayMax: number
  underWayPerSubscriptionMax: number
}

export type FeedRow = {
  /** The last subscription looked at; null when there is none behind. */
  behind: Uuid | null
  /** Subscriptions looked at. */
  lanes: number
  fed: number
  skipped: number
  /** Those with new work. */
  shards: number[]
}

/**
 * Puts the next portion of a running replay's items into the backlog, or says of them why not: each item is moved and
 * marked by this one statement, so whoever is killed leaves it waiting or under way, and never both or neither.
 *
 * How many: no more than `underWayMax` of the replay, and of a subscription no more than half of its `max_in_flight` (of
 * all replays together), so that its own events always find slots; and no more than the rate allows, which counts from
 * when the replay was fed last, whoever did it. What is left over of the rate is not saved up.
 *
 * An item is taken under its own lock, and judged under that of its delivery, as both are now. One that somebody else has locked waits for the next
 * portion. What has ended has no work in the backlog, so an item never meets another attempt.
 *
 * Locks the replay, and skips one that is locked: two dispatchers take turns. Locks items and
 * deliveries by primary key, and skips locked ones. Walks
 * `replay_item_waiting_idx`, hopping from subscription to subscription, and `replay_item_under_way_idx`, which is small.
 */
export async function feedReplay(runner: Runner, request: FeedRequest): Promise<FeedRow | undefined> {
  const rows = await run<FeedRow>(runner, {
    name: 'feed-replay',
    text,
    values: [
      request.replayId,
      request.states,
      request.behind,
      request.lanesMax,
      request.underWayMax,
      request.underWayPerSubscriptionMax,
    ],
  })
  return rows[0]
}

const text = `
with recursive fed_replay as materialized (
  select r.id, r.actor, r.note, r.rate_per_second,
         -- A tenth of a second, or one item, may have been missed; no more of the rate is made up for.
         greatest(coalesce(r.paced_until, '-infinity'),
                  now() - greatest(interval '1 second' / r.rate_per_second, interval '100 milliseconds')) as paced_until
  from replay r
  where r.id = $1 and r.state = 'running' and r.target_url is null
  for update skip locked
), under_way as materialized (
  select i.subscription_id, count(*)::int as count, (count(*) filter (where i.replay_id = $1))::int as own
  from replay_item i
  where i.outcome = 'under_way'
  group by i.subscription_id
), allowance as materialized (
  select coalesce((
    select greatest(0, least(
      $5::int - (select coalesce(sum(own), 0) from under_way),
      case when f.rate_per_second is null then $5::int
           else floor(extract(epoch from now() - f.paced_until) * f.rate_per_second + 0.001) end))
    from fed_replay f), 0)::int as most
), hop as (
  select (
    select i.subscription_id from replay_item i
    where i.replay_id = $1 and i.outcome = 'waiting' and ($3::uuid is null or i.subscription_id > $3::uuid)
    order by i.subscription_id limit 1
  ) as subscription_id, 1 as place
  from fed_replay
  union all
  select (
    select i.subscription_id from replay_item i
    where i.replay_id = $1 and i.outcome = 'waiting' and i.subscription_id > h.subscription_id
    order by i.subscription_id limit 1
  ), h.place + 1
  from hop h
  where h.subscription_id is not null and h.place < $4::int
), lane as materialized (
  select h.subscription_id, h.place, s.shard,
         case when s.id is null or s.deleted_at is not null then 'subscription_deleted'
              when s.state <> 'active' then 'subscription_' || s.state end as closed,
         greatest(0, least($6::int, greatest(1, s.max_in_flight / 2)) - coalesce(u.count, 0)) as room
  from hop h
  left join subscription s on s.id = h.subscription_id
  left join under_way u on u.subscription_id = h.subscription_id
  where h.subscription_id is not null
), picked as materialized (
  select *
  from (
    select l.subscription_id, l.shard, l.closed, i.delivery_id
    from lane l
    cross join lateral (
      select i.delivery_id from replay_item i
      where i.replay_id = $1 and i.subscription_id = l.subscription_id and i.outcome = 'waiting'
      order by i.delivery_id
      limit l.room
    ) i
    where l.closed is null
    order by l.place, i.delivery_id
    limit (select most from allowance)
  ) open
  union all
  select *
  from (
    -- Nothing is sent, so no rate applies; in portions all the same.
    select l.subscription_id, l.shard, l.closed, i.delivery_id
    from lane l
    cross join lateral (
      select i.delivery_id from replay_item i
      where i.replay_id = $1 and i.subscription_id = l.subscription_id and i.outcome = 'waiting'
      order by i.delivery_id
      limit $5::int
    ) i
    where l.closed is not null
    limit $5::int
  ) closed
), item as materialized (
  -- Whoever fed this replay a moment ago may have done so behind the snapshot of this statement. The lock shows the
  -- items as they are now: what is no longer waiting falls out.
  select i.delivery_id
  from replay_item i
  where i.replay_id = $1 and i.delivery_id = any(array(select delivery_id from picked)) and i.outcome = 'waiting'
  for update skip locked
), target as materialized (
  select d.id, d.tenant_id, d.event_id, d.subscription_id, d.state, d.attempt_count, d.erased_at
  from delivery d
  where d.id = any(array(select delivery_id from item))
  order by d.id
  for update skip locked
), judged as materialized (
  select p.delivery_id, p.shard, t.tenant_id, t.event_id, t.subscription_id, t.attempt_count,
         case when p.closed is not null then p.closed
              when t.id is null then 'removed'
              when t.erased_at is not null then 'erased'
              when t.state = any($2::text[]) then null
              when b.leased_at is not null then 'in_flight'
              else t.state end as skip_reason
  from picked p
  join item on item.delivery_id = p.delivery_id
  left join target t on t.id = p.delivery_id
  left join backlog b on b.delivery_id = p.delivery_id
  where t.id is not null or p.closed is not null or not exists (select 1 from delivery d where d.id = p.delivery_id)
), put_back as (
  insert into backlog (delivery_id, tenant_id, event_id, subscription_id, shard, next_attempt_at, attempt_number, trigger,
    actor, reason, replay_id)
  select j.delivery_id, j.tenant_id, j.event_id, j.subscription_id, j.shard, now(), j.attempt_count, 'replay',
    f.actor, f.note, f.id
  from judged j
  cross join fed_replay f
  where j.skip_reason is null
), reopened as (
  update delivery d
  set state = 'pending', finished_at = null, canceled_reason = null
  from judged j
  where j.skip_reason is null and d.id = j.delivery_id
), marked as (
  update replay_item i
  set outcome = case when j.skip_reason is null then 'under_way' else 'skipped' end,
      skip_reason = j.skip_reason,
      started_at = case when j.skip_reason is null then now() end,
      finished_at = case when j.skip_reason is not null then now() end
  from judged j
  where i.replay_id = $1 and i.delivery_id = j.delivery_id
), paced as (
  update replay r
  set paced_until = f.paced_until + (select count(*) from judged where skip_reason is null) * interval '1 second' / f.rate_per_second
  from fed_replay f
  where r.id = f.id and f.rate_per_second is not null and exists (select 1 from judged where skip_reason is null)
)
select (select subscription_id from lane order by place desc limit 1) as behind,
       (select count(*)::int from lane) as lanes,
       (select count(*)::int from judged where skip_reason is null) as fed,
       (select count(*)::int from judged where skip_reason is not null) as skipped,
       array(select distinct shard from judged where skip_reason is null) as shards
from fed_replay`
