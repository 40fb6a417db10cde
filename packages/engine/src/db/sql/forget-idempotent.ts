import type { Uuid } from '@posthorn/contract'
import { type Runner, run } from './statement.ts'

/**
 * Forgets a request that was refused, so that its key may be used for a better one. Locks the record by primary key; one
 * that has an answer, or another id, stays.
 */
export async function forgetIdempotent(
  runner: Runner,
  { owner, key, id }: { owner: string; key: string; id: Uuid },
): Promise<void> {
  await run(runner, { name: 'forget-idempotent', text, values: [owner, key, id] })
}

const text = `delete from idempotency_key where owner = $1 and key = $2 and id = $3 and sealed_answer is null`
