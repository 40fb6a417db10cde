import { type Runner, run } from './statement.ts'

/**
 * Settles the items whose work was taken out of the backlog without an attempt: held, canceled, or gone with a tenant.
 * Nothing was sent, and the state that the delivery is in says why. Answers how many there were.
 *
 * The statement that records an attempt takes the work away and marks its item at once, so an item that is under way and
 * has no work is always one of these. Locks those items. Walks `replay_item_under_way_idx`, which is small. Two callers
 * settle each item once.
 */
export async function settleReplayItems(runner: Runner): Promise<number> {
  const rows = await run<{ settled: number }>(runner, { name: 'settle-replay-items', text, values: [] })
  return rows[0]?.settled ?? 0
}

const text = `
with stray as materialized (
  select i.replay_id, i.delivery_id
  from replay_item i
  where i.outcome = 'under_way'
    -- What goes to another URL has no work in the backlog.
    and exists (select 1 from replay r where r.id = i.replay_id and r.target_url is null)
    and not exists (select 1 from backlog b where b.delivery_id = i.delivery_id and b.replay_id = i.replay_id)
), settled as (
  update replay_item i
  set outcome = 'skipped', finished_at = now(),
      skip_reason = coalesce((
        select case when d.state in ('held', 'canceled', 'pending', 'retrying', 'delivered') then d.state else 'removed' end
        from delivery d where d.id = i.delivery_id), 'removed')
  from stray s
  where i.replay_id = s.replay_id and i.delivery_id = s.delivery_id and i.outcome = 'under_way'
  returning 1
)
select count(*)::int as settled from settled`
