import type { Uuid } from '@posthorn/contract'
import { type Runner, run } from './statement.ts'

/** An item of a replay to another URL, with what its request is made of. */
export type TargetItem = {
  replay_id: Uuid
  delivery_id: Uuid
  /** Fences what comes of it. */
  attempt_id: Uuid
  target_url: string
  /** The replay's own signing secret, sealed, in base64. */
  target_key: string
  attempt_number: number
  tenant_id: string
  subscription_id: Uuid
  event_id: Uuid
  type: string
  timestamp: Date
  data: string
  keys: Record<string, string>
  /** What the publisher has given along for every request; null for nothing. */
  headers_of_event: Record<string, string> | null
  schema_version: number | null
  payload_format: string
  timeout_ms: number
  transform: string | null
}

/**
 * Takes the next items of a running replay to another URL, at most one for each attempt id, so many under way at once and
 * no more than its rate allows. Items that were taken `lostAfterSeconds` ago and never settled are taken again first: whoever had them
 * is gone. Items whose event, delivery or subscription is no longer kept are skipped here.
 *
 * The backlog and the deliveries are not touched. Locks the replay, and skips one that is locked: two dispatchers take
 * turns. Locks the items. Walks `replay_item_waiting_idx`, and `replay_item_under_way_idx`, which is small.
 */
export function takeTargetItems(
  runner: Runner,
  replayId: Uuid,
  { attemptIds, lostAfterSeconds }: { attemptIds: readonly Uuid[]; lostAfterSeconds: number },
): Promise<TargetItem[]> {
  return run<TargetItem>(runner, {
    name: 'take-target-items',
    text,
    values: [replayId, attemptIds, lostAfterSeconds],
  })
}

const text = `
with fed_replay as materialized (
  select r.id, r.rate_per_second, r.target_url, r.target_key_sealed,
         greatest(coalesce(r.paced_until, '-infinity'),
                  now() - greatest(interval '1 second' / r.rate_per_second, interval '100 milliseconds')) as paced_until
  from replay r
  where r.id = $1 and r.state = 'running' and r.target_url is not null
  for update skip locked
), held as (
  select count(*) as count from replay_item i
  where i.replay_id = $1 and i.outcome = 'under_way' and i.started_at > now() - $3::int * interval '1 second'
), allowance as (
  select coalesce((
    select greatest(0, least(
      cardinality($2::uuid[]) - (select count from held),
      case when f.rate_per_second is null then cardinality($2::uuid[])
           else floor(extract(epoch from now() - f.paced_until) * f.rate_per_second + 0.001) end))
    from fed_replay f), 0)::int as most
), candidate as materialized (
  select i.delivery_id
  from (
    (select i.delivery_id from fed_replay f join replay_item i on i.replay_id = f.id
     where i.outcome = 'under_way' and i.started_at <= now() - $3::int * interval '1 second'
     limit (select most from allowance))
    union all
    (select i.delivery_id from fed_replay f join replay_item i on i.replay_id = f.id
     where i.outcome = 'waiting'
     order by i.subscription_id, i.delivery_id
     limit (select most from allowance))
    limit (select most from allowance)
  ) i
), item as materialized (
  -- As they are now: another dispatcher may have taken some behind the snapshot of this statement.
  select i.delivery_id
  from replay_item i
  where i.replay_id = $1 and i.delivery_id = any(array(select delivery_id from candidate))
    and (i.outcome = 'waiting' or i.outcome = 'under_way' and i.started_at <= now() - $3::int * interval '1 second')
  for update skip locked
), picked as materialized (
  select delivery_id, row_number() over () as place from item
), whole as materialized (
  select p.delivery_id, ($2::uuid[])[p.place] as attempt_id, d.attempt_count + 1 as attempt_number, d.tenant_id,
         d.subscription_id, d.event_id, e.type, e."timestamp", e.data, e.keys, e.headers as headers_of_event,
         case when e.validation_errors is null then e.schema_version end as schema_version,
         s.payload_format, s.timeout_ms, s.transform, e.erased_at is not null as is_erased,
         s.id is not null as is_whole
  from picked p
  left join delivery d on d.id = p.delivery_id
  left join event e on e.id = d.event_id
  left join subscription s on s.id = d.subscription_id and e.id is not null and e.erased_at is null and s.deleted_at is null
), marked as (
  update replay_item i
  set outcome = case when w.is_whole then 'under_way' else 'skipped' end,
      skip_reason = case when w.is_whole then null when w.type is null then 'removed' when w.is_erased then 'erased'
                         else 'subscription_deleted' end,
      attempt_id = case when w.is_whole then w.attempt_id end,
      started_at = case when w.is_whole then now() end,
      finished_at = case when not w.is_whole then now() end
  from whole w
  where i.replay_id = $1 and i.delivery_id = w.delivery_id
), paced as (
  update replay r
  set paced_until = f.paced_until + (select count(*) from whole where is_whole) * interval '1 second' / f.rate_per_second
  from fed_replay f
  where r.id = f.id and f.rate_per_second is not null and exists (select 1 from whole where is_whole)
)
select f.id as replay_id, f.target_url, translate(encode(f.target_key_sealed, 'base64'), E'\\n', '') as target_key,
       w.delivery_id, w.attempt_id, w.attempt_number, w.tenant_id, w.subscription_id, w.event_id, w.type, w."timestamp",
       w.data, w.keys, w.headers_of_event, w.schema_version, w.payload_format, w.timeout_ms, w.transform
from whole w
cross join fed_replay f
where w.is_whole`
