import type { DeliveryState, SubscriptionState, Uuid } from '@posthorn/contract'
import { type Runner, run } from './statement.ts'

export type ResendRequest = {
  deliveryId: Uuid
  /** Null for callers who may see every tenant. */
  tenantId: string | null
  states: readonly DeliveryState[]
  trigger: 'resend' | 'replay'
  actor: string
  reason: string | null
}

export type ResendRow = {
  tenant_id: string
  state: DeliveryState
  subscription_state: SubscriptionState | 'deleted'
  in_flight: boolean
  /** What its event held is gone: there is nothing to send. */
  erased: boolean
  shard: number
  /** Whether the resend was taken; the other columns say why not. */
  taken: boolean
}

/**
 * Asks for one more attempt of a delivery, now. A finished delivery becomes `pending` and its work is put back; in a
 * `retrying` one the attempt steps in front of the schedule, which goes on at its own time if the attempt fails.
 * Answers with no row when there is no such delivery.
 *
 * Locks the backlog row, then the delivery, by primary key. Two resends at once: the second sees the first's `pending`
 * and is not taken. A delivery in flight is not taken either.
 */
export async function resendDelivery(runner: Runner, request: ResendRequest): Promise<ResendRow | undefined> {
  const rows = await run<ResendRow>(runner, {
    name: 'resend-delivery',
    text,
    values: [request.deliveryId, request.tenantId, request.states, request.trigger, request.actor, request.reason],
  })
  return rows[0]
}

const text = `
with work as materialized (
  select b.delivery_id, b.leased_at is not null as in_flight
  from backlog b
  where b.delivery_id = $1
  for update
), target as materialized (
  select d.id, d.tenant_id, d.event_id, d.subscription_id, d.state, d.attempt_count, d.erased_at is not null as erased
  from delivery d
  -- Counting the work first locks it first: every statement locks the backlog before the delivery.
  where (select count(*) from work) >= 0 and d.id = $1 and ($2::text is null or d.tenant_id = $2)
  for update
), judged as materialized (
  select t.*, s.shard, coalesce(w.in_flight, false) as in_flight, w.delivery_id is not null as has_work,
         -- Of a tenant that was deleted nothing is left.
         case when s.id is null or s.deleted_at is not null then 'deleted' else s.state end as subscription_state,
         t.state = any($3::text[]) and not t.erased and s.deleted_at is null and coalesce(s.state = 'active', false)
           and not coalesce(w.in_flight, false) as taken
  from target t
  left join subscription s on s.id = t.subscription_id
  left join work w on w.delivery_id = t.id
), stepped_in as (
  update backlog b
  set ready = true, next_attempt_at = now(), trigger = $4, actor = $5, reason = $6,
      resume_at = coalesce(b.resume_at, b.next_attempt_at)
  from judged j
  where j.taken and j.has_work and b.delivery_id = j.id
), put_back as (
  insert into backlog (delivery_id, tenant_id, event_id, subscription_id, shard, next_attempt_at, attempt_number, trigger, actor, reason)
  select id, tenant_id, event_id, subscription_id, shard, now(), attempt_count, $4, $5, $6
  from judged
  where taken and not has_work
), reopened as (
  update delivery d
  set state = 'pending', finished_at = null, canceled_reason = null
  from judged j
  where j.taken and not j.has_work and d.id = j.id
)
select tenant_id, state, subscription_state, in_flight, erased, shard, taken from judged`
