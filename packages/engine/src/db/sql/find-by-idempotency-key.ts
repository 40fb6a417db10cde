import { limits, type Uuid } from '@posthorn/contract'
import { type Runner, run } from './statement.ts'

/** A request that was made under the key, once for each event of it that is told, or once without one. */
export type KeyedRequestRow = {
  /** Its record, of which one credential has one. */
  owner: string
  id: Uuid
  /** The tenant of that credential; null for the operator's. */
  tenant_id: string | null
  /** Null for requests that were begun before this was kept. */
  operation: string | null
  begun_at: Date
  /** What was answered is known. */
  answered: boolean
  event_id: Uuid | null
  event_tenant_id: string | null
}

/**
 * The requests that were made under an idempotency key within the hours for which keys are kept, newest first, and the
 * events that they published. With a tenant: those of its own credentials and of the operator's, with its own events only.
 * What an event held may have been erased; it is not found by the key any more.
 *
 * Locks nothing. Probes `idempotency_key_pkey` once, whose first column is the key, and the primary key of `event` for each
 * event that a request has published.
 */
export function findByIdempotencyKey(
  runner: Runner,
  { tenantId, key }: { tenantId: string | null; key: string },
  rowsMax: number,
): Promise<KeyedRequestRow[]> {
  const values = [tenantId, key, limits.idempotencyKeyHours, rowsMax]
  return run<KeyedRequestRow>(runner, { name: 'find-by-idempotency-key', text, values })
}

const text = `
select k.owner, k.id, k.tenant_id, k.operation, k.begun_at, k.answered, e.id as event_id, e.tenant_id as event_tenant_id
from (
  select owner, id, tenant_id, operation, begun_at, sealed_answer is not null as answered, event_ids
  from idempotency_key
  where key = $2 and begun_at >= now() - $3::int * interval '1 hour'
    and ($1::text is null or tenant_id is null or tenant_id = $1)
  order by begun_at desc, owner
  limit $4
) k
left join lateral (
  select event.id, event.tenant_id
  from unnest(k.event_ids) made (id)
  join event on event.id = made.id
  where ($1::text is null or event.tenant_id = $1) and event.erased_at is null
  order by event.id desc
  limit $4
) e on true
order by k.begun_at desc, k.owner, e.id desc`
