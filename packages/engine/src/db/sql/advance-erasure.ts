import type { Uuid } from '@posthorn/contract'
import type { ErasedRow } from './erase-events.ts'
import { type Runner, run } from './statement.ts'

/**
 * Writes down how far an erasure is, in the transaction of the portion. At the end of a pass it is completed, and forgets
 * the value of its business key, unless events were left behind: then another pass begins at the start.
 *
 * Locks the row, by primary key, and only while it is running.
 */
export async function advanceErasure(
  runner: Runner,
  id: Uuid,
  portion: { erased: ErasedRow; passFrom: Uuid | null; isLast: boolean },
): Promise<void> {
  const { events, deliveries, attempts, canceled, first_left } = portion.erased
  const values = [id, events, deliveries, attempts, canceled, first_left !== null, portion.passFrom, portion.isLast]
  await run(runner, { name: 'advance-erasure', text, values })
}

const text = `
update erasure
set event_count = event_count + $2, delivery_count = delivery_count + $3, attempt_count = attempt_count + $4,
    canceled_count = canceled_count + $5,
    pass_from = case when $8 then null else $7::uuid end,
    left_behind = (left_behind or $6) and not $8,
    state = case when $8 and not (left_behind or $6) then 'completed' else state end,
    finished_at = case when $8 and not (left_behind or $6) then now() end,
    key_value = case when $8 and not (left_behind or $6) then null else key_value end
where id = $1 and state = 'running'`
