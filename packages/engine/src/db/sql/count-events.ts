import { ask } from '../unavailable.ts'
import { createConditions } from './conditions.ts'
import { addEventFilter, type EventFilter } from './filter-conditions.ts'
import type { Runner } from './statement.ts'

/** Counts events one by one. Locks nothing; walks the same indexes as their list, to the end. */
export async function countEvents(runner: Runner, filter: EventFilter): Promise<number> {
  const conditions = createConditions()
  addEventFilter(conditions, filter)
  const text = `select count(*)::float8 as count from event e ${conditions.text}`
  const result = await ask(() => runner.query<{ count: number }>(text, [...conditions.values]))
  return result.rows[0]?.count ?? 0
}
