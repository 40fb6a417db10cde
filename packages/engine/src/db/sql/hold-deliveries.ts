import type { Uuid } from '@posthorn/contract'
import { type Runner, run } from './statement.ts'

/**
 * Takes up to `rowsMax` deliveries of subscriptions that are not active out of the backlog: held where the subscription
 * is paused or disabled, canceled where it was deleted. Those in flight are left to end first. Answers how many it moved.
 *
 * Locks the rows it moves and skips locked ones. `subscriptionId` null means every inactive subscription; then it walks
 * the backlog by subscription. Two callers share the rows.
 */
export async function holdDeliveries(runner: Runner, subscriptionId: Uuid | null, rowsMax: number): Promise<number> {
  const rows = await run<{ moved: number }>(runner, {
    name: 'hold-deliveries',
    text,
    values: [subscriptionId, rowsMax],
  })
  return rows[0]?.moved ?? 0
}

const text = `
with stale as (
  select b.delivery_id, s.deleted_at is not null as deleted
  from subscription s
  join backlog b on b.shard = s.shard and b.subscription_id = s.id
  where (s.state <> 'active' or s.deleted_at is not null)
    and ($1::uuid is null or s.id = $1::uuid)
    and b.leased_at is null
  limit $2::int
  for update of b skip locked
), removed as (
  delete from backlog b using stale where b.delivery_id = stale.delivery_id
), moved as (
  update delivery d
  set state = case when stale.deleted then 'canceled' else 'held' end,
      finished_at = case when stale.deleted then now() end
  from stale
  where d.id = stale.delivery_id
  returning d.id
)
select count(*)::int as moved from moved`
