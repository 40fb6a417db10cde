import type { Uuid } from '@posthorn/contract'
import { type Runner, run } from './statement.ts'

/**
 * How many deliveries of a subscription are due, wait or are held; up to one more than `countMax`. Those in flight are
 * not among them.
 *
 * Locks nothing. Walks `backlog_subscription_id_delivery_id_idx` and `delivery_held_idx`.
 */
export async function countWaiting(runner: Runner, subscriptionId: Uuid, countMax: number): Promise<number> {
  const values = [subscriptionId, countMax]
  const rows = await run<{ waiting: number }>(runner, { name: 'count-waiting', text, values })
  return rows[0]?.waiting ?? 0
}

const text = `
select count(*)::int as waiting
from (
  (select from backlog b where b.subscription_id = $1 and b.leased_at is null limit $2::int + 1)
  union all
  (select from delivery d where d.subscription_id = $1 and d.held limit $2::int + 1)
  limit $2::int + 1
) counted`
