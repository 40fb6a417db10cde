import type { DeliveryState, Uuid } from '@posthorn/contract'
import { type Runner, run } from './statement.ts'

export type CancelRow = { tenant_id: string; state: DeliveryState; in_flight: boolean; taken: boolean }

/**
 * Cancels a delivery that is not finished: no further attempt is made. One in flight is not canceled, because its
 * request has been sent. Answers with no row when there is no such delivery.
 *
 * Locks the backlog row, then the delivery, by primary key.
 */
export async function cancelDelivery(
  runner: Runner,
  request: { deliveryId: Uuid; tenantId: string | null; states: readonly DeliveryState[] },
): Promise<CancelRow | undefined> {
  const rows = await run<CancelRow>(runner, {
    name: 'cancel-delivery',
    text,
    values: [request.deliveryId, request.tenantId, request.states],
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
  select d.id, d.tenant_id, d.state
  from delivery d
  -- Counting the work first locks it first: every statement locks the backlog before the delivery.
  where (select count(*) from work) >= 0 and d.id = $1 and ($2::text is null or d.tenant_id = $2)
  for update
), judged as materialized (
  select t.id, t.tenant_id, t.state, coalesce(w.in_flight, false) as in_flight,
         t.state = any($3::text[]) and not coalesce(w.in_flight, false) as taken
  from target t
  left join work w on w.delivery_id = t.id
), removed as (
  delete from backlog b using judged j where j.taken and b.delivery_id = j.id
), canceled as (
  update delivery d
  -- Calling off a resend does not undo that the receiver accepted the event before.
  set state = case when d.delivered_at is not null then 'delivered' else 'canceled' end, finished_at = now(),
      canceled_reason = case when d.delivered_at is null then 'canceled_by_person' end
  from judged j
  where j.taken and d.id = j.id
)
select tenant_id, state, in_flight, taken from judged`
