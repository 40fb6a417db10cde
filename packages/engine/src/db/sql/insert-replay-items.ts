import type { DeliveryState, FailureCode, ReplaySkipReason, Uuid } from '@posthorn/contract'
import { createConditions } from './conditions.ts'
import { addDeliveryFilter, type DeliveryFilter } from './filter-conditions.ts'
import type { Runner } from './statement.ts'

/** Deliveries of one subscription that are alike to a replay. */
export type ReplayGroup = {
  subscription_id: Uuid
  tenant_id: string
  /** How their last attempt failed. */
  failure_code: FailureCode | null
  /** Why they are not part of it; null for its items. */
  reason: ReplaySkipReason | null
  count: number
}

/**
 * Writes the next `take` deliveries that a replay's filter finds down as its items, newest first, and answers how many
 * there are of each kind, and where to go on. What stands in a state that the replay sends and cannot be sent, because of
 * its subscription or because it was erased, is counted and left out.
 *
 * A set that is counted and written by one statement is one set: nothing is sent that was not counted. Locks only the new
 * rows; walks the indexes of `listDeliveries`. Called in portions within the transaction that makes the replay, so a
 * draft is whole or not there.
 *
 * @param portion.states what the replay sends, in which the delivery must be
 * @param portion.below deliveries with smaller ids only
 */
export async function insertReplayItems(
  runner: Runner,
  replayId: Uuid,
  filter: DeliveryFilter,
  portion: { states: readonly DeliveryState[]; below: Uuid | undefined; take: number },
): Promise<{ groups: ReplayGroup[]; last: Uuid | null }> {
  const conditions = createConditions()
  const replay = conditions.placeholder(replayId)
  addDeliveryFilter(conditions, filter)
  addDeliveryFilter(conditions, { states: portion.states, before: portion.below })
  const text = `
with found as materialized (
  select d.id, d.tenant_id, d.subscription_id, d.last_failure_code, d.erased_at
  from delivery d ${conditions.text}
  order by d.id desc
  limit ${Math.trunc(portion.take)}
), judged as materialized (
  select f.*,
         case when f.erased_at is not null then 'erased'
              when s.id is null or s.deleted_at is not null then 'subscription_deleted'
              when s.state <> 'active' then 'subscription_' || s.state end as reason
  from found f
  left join subscription s on s.id = f.subscription_id
), stored as (
  insert into replay_item (replay_id, delivery_id, tenant_id, subscription_id)
  select ${replay}::uuid, id, tenant_id, subscription_id from judged where reason is null
)
select subscription_id, tenant_id, last_failure_code as failure_code, reason, count(*)::int as count,
       -- There is no min() of uuid before PostgreSQL 18.
       (array_agg(id order by id))[1] as last
from judged
group by subscription_id, tenant_id, last_failure_code, reason`
  const { rows } = await runner.query<ReplayGroup & { last: Uuid }>(text, [...conditions.values])
  const last = rows.map((row) => row.last).sort()[0] ?? null
  return { groups: rows, last }
}
