/**
 * The body that an attempt was sent with. It is stored nowhere: it is composed again from the event, and where a transform
 * made the data, that is made again too, by the transform of that time. Whether it is the same is then proven by the digest
 * that was sent, because a later version of Posthorn might make another one.
 */
import type { Uuid } from '@posthorn/contract'
import type { Database } from './db/database.ts'
import type { Event } from './event-reads.ts'
import { type EventOrigin, payload, payloadFormatOf } from './payload.ts'
import { hadBody, transformHash, transformHashOf } from './transform-headers.ts'
import { EvaluatorsUnavailable } from './transforms/evaluators.ts'
import { TransformFailed, type Transforms } from './transforms.ts'

/** How long a reader waits for an evaluator, in milliseconds. */
const waitMsMax = 5_000

/**
 * @param headers those of the request
 * @returns null when it cannot be told any more
 */
export async function sentBody(
  parts: { db: Database; transforms: Transforms; origin: EventOrigin },
  event: Event,
  subscriptionId: Uuid,
  headers: Readonly<Record<string, unknown>>,
): Promise<string | null> {
  const format = payloadFormatOf(headers) ?? 'standard'
  const hash = transformHashOf(headers)
  if (hash === undefined) {
    const fits = event.validationErrors === null
    return payload({ ...event, schemaVersion: fits ? event.schemaVersion : null }, format, parts.origin).body
  }
  const data = await madeAgain(parts, event, subscriptionId, hash)
  if (data === undefined) return null
  const { body } = payload({ ...event, data, schemaVersion: null }, format, parts.origin)
  return hadBody(headers, body) ? body : null
}

async function madeAgain(
  { db, transforms }: { db: Database; transforms: Transforms },
  event: Event,
  subscriptionId: Uuid,
  hash: string,
): Promise<string | undefined> {
  const { tenantId } = event
  const subscription = await db.prisma.subscription.findUnique({ where: { id: subscriptionId } })
  const isCurrent = typeof subscription?.transform === 'string' && transformHash(subscription.transform) === hash
  const kept = isCurrent ? null : await db.prisma.transform.findUnique({ where: { tenantId_hash: { tenantId, hash } } })
  const expression = isCurrent ? subscription.transform : kept?.expression
  if (typeof expression !== 'string') return undefined
  try {
    return await transforms.apply(expression, event, { tenantId, subscriptionId }, { waitMsMax })
  } catch (error) {
    if (error instanceof TransformFailed || error instanceof EvaluatorsUnavailable) return undefined
    throw error
  }
}
