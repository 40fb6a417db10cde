import type { Uuid } from '@posthorn/contract'
import { type Runner, run } from './statement.ts'

export type ErasedRow = {
  events: number
  deliveries: number
  attempts: number
  /** Deliveries that were called off. */
  canceled: number
  /** The first event that could not be erased now; null when all were. */
  first_left: Uuid | null
}

/**
 * Takes the content of these events away: data, headers, business keys, ids of publishers, traces, what did not fit, and of their
 * attempts the headers, the answers and the reasons. What stays are ids, states, times and codes, marked with `erased_at`.
 *
 * With `cancels`, what was still to be sent of them is canceled first, in the same statement. An event that then still has
 * unfinished deliveries (one in flight, or locked by somebody at this moment) is left as it is, for another call: so
 * nothing is ever sent of an event without content, and no outcome is written down behind the erasure.
 *
 * Locks the backlog rows, then all deliveries of the events, and skips what others have locked. A resend that waits for a
 * delivery finds it erased, by the row itself. Walks `delivery_event_id_idx`, `attempt_delivery_id_number_idx` and primary
 * keys. Two callers share the events.
 */
export async function eraseEvents(
  runner: Runner,
  of: { tenantId: string; eventIds: readonly Uuid[]; cancels: boolean },
): Promise<ErasedRow> {
  const values = [of.tenantId, of.eventIds, of.cancels]
  const [row] = await run<ErasedRow>(runner, { name: 'erase-events', text, values })
  return row ?? { events: 0, deliveries: 0, attempts: 0, canceled: 0, first_left: null }
}

const text = `
with work as materialized (
  select b.delivery_id, b.replay_id
  from delivery d
  join backlog b on b.delivery_id = d.id
  where $3::boolean and d.event_id = any($2::uuid[]) and d.tenant_id = $1 and b.leased_at is null
  for update of b skip locked
), target as materialized (
  select d.id, d.event_id, d.state, d.delivered_at
  from delivery d
  -- Counting the work first locks it first: every statement locks the backlog before the delivery.
  where (select count(*) from work) >= 0 and d.event_id = any($2::uuid[]) and d.tenant_id = $1
  for update skip locked
), judged as materialized (
  -- The state is that of the locked row, newer than this statement's view of the backlog.
  select t.*, w.delivery_id is not null as waits,
         $3::boolean and ((w.delivery_id is not null and t.state in ('pending', 'retrying')) or t.state = 'held') as cancels
  from target t
  left join work w on w.delivery_id = t.id
), left_as_they_are as materialized (
  select d.event_id
  from delivery d
  left join judged j on j.id = d.id
  where d.event_id = any($2::uuid[]) and d.tenant_id = $1
    and (j.id is null or (j.state in ('pending', 'retrying', 'held') and not j.cancels))
), free as materialized (
  select e.id, e.tenant_id, e.keys, e.publish_id
  from event e
  where e.id = any($2::uuid[]) and e.tenant_id = $1 and e.erased_at is null
    and e.id not in (select event_id from left_as_they_are)
), removed as (
  delete from backlog b using judged j where j.cancels and j.waits and b.delivery_id = j.id
), settled as (
  update replay_item i
  set outcome = 'canceled', finished_at = now()
  from work w
  join judged j on j.id = w.delivery_id and j.cancels
  where i.replay_id = w.replay_id and i.delivery_id = w.delivery_id and i.outcome in ('waiting', 'under_way')
), marked as (
  update delivery d
  set state = case when not j.cancels then d.state when d.delivered_at is not null then 'delivered' else 'canceled' end,
      finished_at = case when j.cancels then now() else d.finished_at end,
      canceled_reason = case when not j.cancels then d.canceled_reason when d.delivered_at is null then 'erased' end,
      erased_at = case when j.event_id in (select id from free) then now() end
  from judged j
  where d.id = j.id and (j.cancels or j.event_id in (select id from free))
  returning d.erased_at, j.cancels
), emptied as (
  update attempt a
  set request_headers = '{}', response_headers = '{}', response_body = '', response_truncated = false, reason = null,
      erased_at = now()
  from judged j
  where j.event_id in (select id from free) and a.delivery_id = j.id
  returning a.id
), erased as (
  update event e
  set data = 'null', headers = null, keys = '{}', publish_id = null, traceparent = null, validation_errors = null, erased_at = now()
  from free f
  where e.id = f.id
  returning e.id
), forgotten_keys as (
  delete from event_key k
  using free f
  cross join lateral jsonb_each_text(f.keys) named
  where k.value = named.value and k.tenant_id = f.tenant_id and k.name = named.key and k.event_id = f.id
), forgotten_ids as (
  delete from event_publish_id p
  using free f
  where f.publish_id is not null and p.tenant_id = f.tenant_id and p.publish_id = f.publish_id
)
select (select count(*)::int from erased) as events,
       (select count(*)::int from marked where erased_at is not null) as deliveries,
       (select count(*)::int from emptied) as attempts,
       (select count(*)::int from marked where cancels) as canceled,
       (select min(event_id::text)::uuid from left_as_they_are) as first_left`
