/**
 * Requests that may be repeated (draft-ietf-httpapi-idempotency-key-header-07): the first answer to a request is kept,
 * and given again to the same request under the same key, for a day.
 *
 * A record is made before the request does anything, so two at once cannot both do it. When its process dies, nobody
 * knows whether it did: a request that is harmless to repeat is then taken over under the same record, and of any other
 * the caller is told so, because making it again could do it twice.
 */
import { createHash } from 'node:crypto'
import { limits, Problem, type Uuid } from '@posthorn/contract'
import type { Database } from './db/database.ts'
import { beginIdempotent } from './db/sql/begin-idempotent.ts'
import { deleteOldIdempotent } from './db/sql/delete-old-idempotent.ts'
import { endIdempotent } from './db/sql/end-idempotent.ts'
import { forgetIdempotent } from './db/sql/forget-idempotent.ts'
import { type Seal, SealError } from './sealing.ts'
import type { Within } from './tenancy.ts'
import { newUuid, type World } from './world.ts'

/** No request takes longer than this, in milliseconds. A record without an answer is abandoned after it. */
const heldMs = 90_000
const inUseRetryAfterSeconds = 1
/** Old records taken away by one statement. */
const oldRowsPerStatement = 5_000

export type IdempotencyParts = { db: Database; world: World; seal: Seal }

/** A request as far as its repetition must be the same. */
export type RepeatableRequest = {
  /** The credential that asks: keys of two credentials never meet. */
  owner: string
  key: string
  /** The tenant of that credential; undefined for the operator's. */
  tenantId: Within
  /** What is asked for: an `operationId`. */
  operation: string
  method: string
  /** Path and query. */
  url: string
  body: string
  /** Making it again under the same record does nothing twice. */
  repeatable: boolean
}

export type KeptAnswer = { status: number; headers: Record<string, string>; body: string }

/** A record that is this request's own. */
export type IdempotencyRecord = { owner: string; key: string; id: Uuid }

/**
 * Begins a request, or gives the answer that it had before.
 *
 * @throws Problem `idempotency_key_reused`, `idempotency_key_in_use`, `idempotency_outcome_unknown`
 */
export async function beginOnce(
  { db, world, seal }: IdempotencyParts,
  { owner, key, tenantId, operation, method, url, body, repeatable }: RepeatableRequest,
): Promise<{ record: IdempotencyRecord } | { answer: KeptAnswer }> {
  const fingerprint = createHash('sha256')
    .update(JSON.stringify([method, url]))
    .update(body)
    .digest()
  const keptHours = limits.idempotencyKeyHours
  const id = newUuid(world)
  const keeping = { id, fingerprint, heldMs, keptHours, repeatable }
  const found = await beginIdempotent(db.pool, { owner, key, tenantId: tenantId ?? null, operation, ...keeping })
  if (found.begun) return { record: { owner, key, id: found.id } }
  if (!found.same) {
    throw new Problem(
      'idempotency_key_reused',
      'This idempotency key was sent with another request before: its path or its body was different. Use a new key for a new request.',
    )
  }
  const answer = found.sealed_answer && opened(seal, found.sealed_answer, { owner, key, id: found.id })
  if (answer) return { answer }
  if (found.sealed_answer === null && found.held) {
    throw new Problem(
      'idempotency_key_in_use',
      'A request with this idempotency key is still under way. Ask again in a moment for its answer.',
      { retryAfterSeconds: inUseRetryAfterSeconds },
    )
  }
  throw new Problem(
    'idempotency_outcome_unknown',
    'The request with this idempotency key may have been carried out, but its answer was lost. Look whether it was, and make it again under a new key if not.',
  )
}

/**
 * Keeps the answer. From now on it is what the request is answered.
 *
 * @param eventIds the events that it tells of, which the key is found by
 */
export async function endOnce(
  { db, seal }: IdempotencyParts,
  record: IdempotencyRecord,
  answer: KeptAnswer,
  eventIds: readonly Uuid[] = [],
): Promise<void> {
  // Answers hold secrets and keys that were just made.
  const sealedAnswer = seal.seal(Buffer.from(JSON.stringify(answer)), contextOf(record))
  await endIdempotent(db.pool, { ...record, sealedAnswer, eventIds: eventIds.length > 0 ? eventIds : null })
}

/** The request was refused, so nothing was done: its key is free again. */
export async function forgetOnce({ db }: IdempotencyParts, record: IdempotencyRecord): Promise<void> {
  await forgetIdempotent(db.pool, record)
}

/** The request failed in a way that does not say whether it did anything. Nobody is at it any more. */
export async function abandonOnce({ db }: IdempotencyParts, record: IdempotencyRecord): Promise<void> {
  await endIdempotent(db.pool, { ...record, sealedAnswer: null, eventIds: null })
}

/** Takes away the records whose time is over. */
export async function deleteOldIdempotencyKeys(db: Database): Promise<number> {
  let count = 0
  for (;;) {
    const keptHours = limits.idempotencyKeyHours
    const gone = await deleteOldIdempotent(db.pool, { keptHours, rowsMax: oldRowsPerStatement })
    count += gone
    if (gone < oldRowsPerStatement) return count
  }
}

/**
 * What makes an event that is published under an idempotency key the same event when the request is taken over. No
 * publisher can come upon it: it begins with a character that is no text, and ends with a random id.
 */
export function onceIdOf({ id }: Pick<IdempotencyRecord, 'id'>, place = 0): string {
  return `\u0001${id}/${place}`
}

function opened(seal: Seal, sealed: Uint8Array, record: IdempotencyRecord): KeptAnswer | undefined {
  try {
    return JSON.parse(Buffer.from(seal.open(sealed, contextOf(record))).toString())
  } catch (error) {
    // The master key was replaced meanwhile. The request was carried out; what it was answered cannot be read any more.
    if (error instanceof SealError) return undefined
    throw error
  }
}

/**
 * A kept answer sealed with the first master key.
 *
 * @throws SealError when it cannot be opened
 */
export function answerSealedAnew(sealed: Uint8Array, record: IdempotencyRecord, seal: Seal): Uint8Array<ArrayBuffer> {
  const context = contextOf(record)
  return seal.seal(seal.open(sealed, context), context)
}

function contextOf({ owner, key, id }: IdempotencyRecord): string {
  return `idempotency|${owner}|${id}|${key}`
}
