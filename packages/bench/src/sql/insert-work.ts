import type { Database } from '@posthorn/engine'

export type Work = { eventId: string; deliveryId: string; tenantId: string; subscriptionId: string; shard: number }

/**
 * Deliveries that wait, each of an event of its own: due now, or a day later as the retries of a failed attempt.
 *
 * Locks the new rows only.
 */
export async function insertWork(
  { pool }: Database,
  work: readonly Work[],
  { type, data, due }: { type: string; data: string; due: boolean },
): Promise<void> {
  await pool.query(text, [
    work.map(({ eventId }) => eventId),
    work.map(({ deliveryId }) => deliveryId),
    work.map(({ tenantId }) => tenantId),
    work.map(({ subscriptionId }) => subscriptionId),
    work.map(({ shard }) => shard),
    type,
    data,
    due,
  ])
}

const text = `
with planned as (
  select *
  from unnest($1::uuid[], $2::uuid[], $3::text[], $4::uuid[], $5::smallint[])
    as p (event_id, delivery_id, tenant_id, subscription_id, shard)
), published as (
  insert into event (id, tenant_id, type, "timestamp", data)
  select event_id, tenant_id, $6, now(), $7 from planned
), owed as (
  insert into delivery (id, tenant_id, event_id, event_type, subscription_id, state, attempt_count)
  select delivery_id, tenant_id, event_id, $6, subscription_id,
         case when $8::boolean then 'pending' else 'retrying' end, case when $8::boolean then 0 else 1 end
  from planned
)
insert into backlog (delivery_id, tenant_id, event_id, subscription_id, shard, ready, next_attempt_at, attempt_number, schedule_step)
select delivery_id, tenant_id, event_id, subscription_id, shard, $8::boolean,
       now() + case when $8::boolean then interval '0' else interval '1 day' end,
       case when $8::boolean then 0 else 1 end, case when $8::boolean then 0 else 1 end
from planned`
