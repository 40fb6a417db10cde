import { ask } from '../unavailable.ts'
import { createConditions } from './conditions.ts'
import { addDeliveryFilter, type DeliveryFilter } from './filter-conditions.ts'
import type { Runner } from './statement.ts'

/** Counts deliveries one by one. Locks nothing; walks the same indexes as their list, to the end. */
export async function countDeliveries(runner: Runner, filter: DeliveryFilter): Promise<number> {
  const conditions = createConditions()
  addDeliveryFilter(conditions, filter)
  const text = `select count(*)::float8 as count from delivery d ${conditions.text}`
  const result = await ask(() => runner.query<{ count: number }>(text, [...conditions.values]))
  return result.rows[0]?.count ?? 0
}
