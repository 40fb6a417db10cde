import type { Uuid } from '@posthorn/contract'
import { type Runner, run } from './statement.ts'

export type IdempotentRequest = {
  owner: string
  key: string
  /** The tenant of the credential; null for the operator's. */
  tenantId: string | null
  /** What is asked for: an `operationId`. */
  operation: string
  /** The id of the record, if it is a new one. */
  id: Uuid
  /** SHA-256 of the request. */
  fingerprint: Uint8Array
  /** How long this process is believed to be at it, in milliseconds. */
  heldMs: number
  /** How long answers are kept, in hours. */
  keptHours: number
  /** Whether the request may be made again when nobody knows how it ended. */
  repeatable: boolean
}

/** `begun` says that it is the caller's now; otherwise the rest says what another request left. */
export type IdempotencyRow = {
  begun: boolean
  id: Uuid
  same: boolean
  held: boolean
  sealed_answer: Uint8Array | null
}

/**
 * Takes an idempotency key for a request, or finds what became of the request that has it. A record whose time is over
 * is as if it were not there; one without an answer whose process is gone may be taken over, under the same id.
 *
 * Locks the record by primary key. Two callers at once: the second waits for the first one's insert and then finds it
 * held, so one of them alone has begun.
 */
export async function beginIdempotent(runner: Runner, request: IdempotentRequest): Promise<IdempotencyRow> {
  const { owner, key, id, fingerprint, heldMs, keptHours, repeatable, tenantId, operation } = request
  const values = [owner, key, id, fingerprint, heldMs, keptHours, repeatable, tenantId, operation]
  const [row] = await run<IdempotencyRow>(runner, { name: 'begin-idempotent', text, values })
  // A record that another caller takes away between the two looks is gone for good: the next call begins it.
  return row ?? { begun: false, id, same: true, held: true, sealed_answer: null }
}

const text = `
with begun as (
  insert into idempotency_key as k (owner, key, id, fingerprint, held_until, tenant_id, operation)
  values ($1, $2, $3, $4, now() + $5::int * interval '1 millisecond', $8, $9)
  on conflict (owner, key) do update
  set id = case when k.begun_at < now() - $6::int * interval '1 hour' then excluded.id else k.id end,
      begun_at = case when k.begun_at < now() - $6::int * interval '1 hour' then now() else k.begun_at end,
      fingerprint = excluded.fingerprint,
      held_until = excluded.held_until,
      tenant_id = excluded.tenant_id,
      operation = excluded.operation,
      event_ids = null,
      sealed_answer = null
  where k.begun_at < now() - $6::int * interval '1 hour'
    or ($7 and k.sealed_answer is null and k.held_until <= now() and k.fingerprint = excluded.fingerprint)
  returning id
)
select true as begun, id, true as same, true as held, null::bytea as sealed_answer
from begun
union all
select false, k.id, k.fingerprint = $4, k.held_until > now(), k.sealed_answer
from idempotency_key k
where k.owner = $1 and k.key = $2 and not exists (select from begun)`
