import type { Uuid } from '@posthorn/contract'
import { type Runner, run } from './statement.ts'

/**
 * Cancels up to `rowsMax` held deliveries of a deleted subscription: they have no work in the backlog, so nobody else
 * comes across them. Answers how many it canceled; 0 also while the subscription is not deleted.
 *
 * Locks the deliveries it cancels and skips locked ones; walks `delivery_held_idx`. Two callers share the rows.
 */
export async function cancelHeld(runner: Runner, subscriptionId: Uuid, rowsMax: number): Promise<number> {
  const values = [subscriptionId, rowsMax]
  const rows = await run<{ canceled: number }>(runner, { name: 'cancel-held', text, values })
  return rows[0]?.canceled ?? 0
}

const text = `
with held as (
  select d.id
  from delivery d
  join subscription s on s.id = d.subscription_id
  where d.subscription_id = $1 and d.held and s.deleted_at is not null
  limit $2
  for update of d skip locked
), canceled as (
  update delivery d
  set state = 'canceled', finished_at = now(), canceled_reason = 'subscription_deleted'
  from held
  where d.id = held.id
  returning d.id
)
select count(*)::int as canceled from canceled`
