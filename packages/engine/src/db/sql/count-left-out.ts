import type { DeliveryState, ReplaySkipReason } from '@posthorn/contract'
import { createConditions } from './conditions.ts'
import { addDeliveryFilter, type DeliveryFilter } from './filter-conditions.ts'
import type { Runner } from './statement.ts'

export type LeftOut = { reason: ReplaySkipReason; count: number }

/**
 * Counts what a replay's filter finds in other states than those that it sends, by state; those with an attempt under way
 * apart. Of at most `rowsMax` deliveries, newest first: a filter may find millions that were delivered long ago.
 *
 * Locks nothing; walks the indexes of `listDeliveries`.
 */
export async function countLeftOut(
  runner: Runner,
  filter: DeliveryFilter,
  sent: readonly DeliveryState[],
  rowsMax: number,
): Promise<LeftOut[]> {
  const conditions = createConditions()
  addDeliveryFilter(conditions, filter)
  conditions.add([...sent], (states) => `d.state <> all(${states}::text[])`)
  const text = `
select case when b.leased_at is not null then 'in_flight' else d.state end as reason, count(*)::int as count
from (
  select d.id, d.state from delivery d ${conditions.text} order by d.id desc limit ${Math.trunc(rowsMax)}
) d
left join backlog b on b.delivery_id = d.id and d.state in ('pending', 'retrying')
group by 1
order by 1`
  const { rows } = await runner.query<LeftOut>(text, [...conditions.values])
  return rows
}
