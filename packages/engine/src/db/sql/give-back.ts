import type { Uuid } from '@posthorn/contract'
import { type Runner, run } from './statement.ts'

/**
 * Gives back deliveries that were claimed but never sent, as if they had not been claimed: due now, attempt not counted.
 * Fenced like a recording. Locks the rows by primary key.
 */
export async function giveBack(runner: Runner, claims: readonly { deliveryId: Uuid; number: number }[]): Promise<void> {
  const values = [claims.map((claim) => claim.deliveryId), claims.map((claim) => claim.number)]
  await run(runner, { name: 'give-back', text, values })
}

const text = `
update backlog b
set ready = true, leased_at = null, attempt_id = null, next_attempt_at = now(), attempt_number = b.attempt_number - 1
from unnest($1::uuid[], $2::int[]) as claim (delivery_id, number)
where b.delivery_id = claim.delivery_id and b.attempt_number = claim.number and b.leased_at is not null`
