import type { Uuid } from '@posthorn/contract'
import { type Runner, run } from './statement.ts'

/**
 * Takes up to `rowsMax` deliveries of a subscription that is not active out of the backlog: held where it is paused
 * or disabled, canceled where it was deleted or is gone altogether. Those in flight are left to end first. Answers how
 * many it moved; 0 for an active subscription.
 *
 * Locks the rows it moves and skips locked ones, the backlog before the deliveries. Walks
 * `backlog_subscription_id_delivery_id_idx`. Two callers share the rows.
 */
export async function holdDeliveries(runner: Runner, subscriptionId: Uuid, rowsMax: number): Promise<number> {
  const values = [subscriptionId, rowsMax]
  const rows = await run<{ moved: number }>(runner, { name: 'hold-deliveries', text, values })
  return rows[0]?.moved ?? 0
}

const text = `
with target as materialized (
  select s.id is null or s.deleted_at is not null as deleted,
         case when s.id is null then 'tenant_deleted' when s.deleted_at is not null then 'subscription_deleted' end as reason
  from (select 1) one
  left join subscription s on s.id = $1::uuid
  where s.id is null or s.state <> 'active' or s.deleted_at is not null
), found as materialized (
  select b.delivery_id
  from target cross join backlog b
  where b.subscription_id = $1::uuid and b.leased_at is null
  limit $2::int
), stale as materialized (
  select b.delivery_id
  from backlog b
  where b.delivery_id in (select delivery_id from found) and b.leased_at is null
  for update skip locked
), removed as (
  delete from backlog b using stale where b.delivery_id = stale.delivery_id
), moved as (
  update delivery d
  set state = case when target.deleted then 'canceled' else 'held' end,
      finished_at = case when target.deleted then now() end,
      canceled_reason = target.reason
  from stale cross join target
  where d.id = stale.delivery_id
  returning d.id
)
select count(*)::int as moved from moved`
