import type { Uuid } from '@posthorn/contract'
import { type Runner, run } from './statement.ts'

/**
 * Ends the holding of up to `rowsMax` deliveries of an active subscription, oldest first: back into the backlog with a
 * schedule from its start, or canceled. Answers how many it moved; 0 also when the subscription is no longer active.
 *
 * Locks the deliveries it moves and skips locked ones; walks `delivery_held_idx`. Two callers share the rows.
 *
 * @param options.before only deliveries with smaller ids, which are older
 */
export async function releaseDeliveries(
  runner: Runner,
  subscriptionId: Uuid,
  options: { send: boolean; before?: Uuid | undefined; rowsMax: number },
): Promise<number> {
  const values = [subscriptionId, options.send, options.rowsMax, options.before ?? null]
  const rows = await run<{ moved: number }>(runner, { name: 'release-deliveries', text, values })
  return rows[0]?.moved ?? 0
}

const text = `
with held as (
  select d.id, d.tenant_id, d.event_id, d.subscription_id, d.attempt_count, s.shard
  from delivery d
  join subscription s on s.id = d.subscription_id
  where d.subscription_id = $1 and d.held and s.state = 'active' and s.deleted_at is null
    and ($4::uuid is null or d.id < $4)
  order by d.id
  limit $3
  for update of d skip locked
), moved as (
  update delivery d
  set state = case when not $2::boolean then 'canceled' when held.attempt_count > 0 then 'retrying' else 'pending' end,
      finished_at = case when not $2::boolean then now() end,
      canceled_reason = case when not $2::boolean then 'resume_none' end
  from held
  where d.id = held.id
  returning d.id
), due as (
  insert into backlog (delivery_id, tenant_id, event_id, subscription_id, shard, next_attempt_at, attempt_number)
  select id, tenant_id, event_id, subscription_id, shard, now(), attempt_count
  from held
  where $2::boolean
)
select count(*)::int as moved from moved`
