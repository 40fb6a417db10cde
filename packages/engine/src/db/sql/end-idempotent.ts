import type { Uuid } from '@posthorn/contract'
import { type Runner, run } from './statement.ts'

export type IdempotentEnd = {
  owner: string
  key: string
  id: Uuid
  /** The answer, sealed; null when nobody knows how the request ended. */
  sealedAnswer: Uint8Array | null
  /** The events that it has published, to find them by the key; null for none, and when nobody knows. */
  eventIds: readonly Uuid[] | null
}

/**
 * Notes what was answered, or that nobody is at it any more. Locks the record by primary key; a record that belongs to a
 * later request under the same key has another id and is left alone.
 */
export async function endIdempotent(runner: Runner, end: IdempotentEnd): Promise<void> {
  const values = [end.owner, end.key, end.id, end.sealedAnswer, end.eventIds]
  await run(runner, { name: 'end-idempotent', text, values })
}

const text = `
update idempotency_key
set sealed_answer = coalesce(sealed_answer, $4), event_ids = coalesce(event_ids, $5::uuid[]), held_until = now()
where owner = $1 and key = $2 and id = $3`
