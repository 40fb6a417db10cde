/**
 * What publishing would do, without doing it: the verdict on each subscription, and the requests that would be made. The
 * requests come from the function that makes the real ones; credentials for receivers are not opened for it.
 */
import type { PayloadFormat, ProblemPlace, Uuid } from '@posthorn/contract'
import { type AttemptRequest, unsignedRequest } from './attempt.ts'
import { redacted } from './custom-headers.ts'
import type { Database } from './db/database.ts'
import type { Subscription } from './db/generated/client.ts'
import type { NewEvent } from './db/sql/insert-events.ts'
import type { Verdict } from './matching.ts'
import type { EventOrigin } from './payload.ts'
import { authHeaderNames } from './subscription-auth.ts'
import { EvaluatorsUnavailable } from './transforms/evaluators.ts'
import { TransformFailed, type Transforms } from './transforms.ts'

/** How long the transforms of one dry run wait for evaluators, in milliseconds: there may be hundreds, and each may hang. */
const waitMsMax = 5_000
const notTried = `The transform was not tried: no evaluator was free for ${waitMsMax / 1000} s.`

export type DryRun = {
  /** It was published before under the same `publishId`, so that nothing would be stored or sent. */
  duplicate: boolean
  /** What does not fit the schema of an event type that only warns. */
  validationErrors: readonly ProblemPlace[]
  /** Every subscription of the tenant, the oldest first. */
  matches: readonly DryRunMatch[]
}

export type DryRunMatch = Verdict & {
  subscriptionId: Uuid
  /** Whether its deliveries would be held. */
  state: string
} & ShownRequest

/** What would be sent, or why nothing would. */
export type ShownRequest = {
  /** Null when nothing would be sent. Without the headers of the signature, which are made when it is sent. */
  request: AttemptRequest | null
  /** Why the transform makes nothing of the event; null when it does, or there is none. */
  transformFailure: TransformFailure | null
}

export type TransformFailure = { detail: string; position: number | null }

/** How requests are shown: as they are made. */
export type ShowingMeans = { transforms: Transforms; origin: EventOrigin }
export type ShowingParts = ShowingMeans & { db: Database }

/** An event that is shown as it would be sent. */
export type ShownEvent = Pick<
  NewEvent,
  'id' | 'type' | 'timestamp' | 'data' | 'keys' | 'headers' | 'schemaVersion' | 'validationErrors' | 'traceparent'
>

/** The first request that each of these subscriptions would get. */
export async function requestsFor(
  parts: ShowingParts,
  event: ShownEvent,
  subscriptionIds: readonly Uuid[],
): Promise<Map<Uuid, ShownRequest>> {
  const rows = await parts.db.prisma.subscription.findMany({ where: { id: { in: [...subscriptionIds] } } })
  const shown = await Promise.all(
    rows.map(async (subscription) => [subscription.id, await requestFor(parts, event, subscription)] as const),
  )
  return new Map(shown)
}

/** The request that a subscription would get. */
export async function requestFor(
  { transforms, origin }: ShowingParts,
  event: ShownEvent,
  subscription: Subscription,
): Promise<ShownRequest> {
  const { id: eventId, type, timestamp, keys, headers, validationErrors, schemaVersion, traceparent } = event
  const { id: subscriptionId, tenantId, transform, forwardTraceparent } = subscription
  let { data } = event
  try {
    const owner = { tenantId, subscriptionId }
    if (transform !== null) data = await transforms.apply(transform, { ...event, keys }, owner, { waitMsMax })
  } catch (error) {
    return { request: null, transformFailure: failureOf(error) }
  }
  const claim = {
    eventId,
    // As claims read it: a version is named only where the data fits it, and what a transform has made was held to none.
    event: {
      type,
      timestamp,
      data,
      schemaVersion: validationErrors === null && transform === null ? schemaVersion : null,
      ...(forwardTraceparent && traceparent !== null ? { traceparent } : {}),
      ...(headers === null ? {} : { headers }),
    },
    url: subscription.url,
    // Written by the engine as a record of texts.
    headers: subscription.headers as Record<string, string>,
    // The column's CHECK is held to the list of formats by a test.
    payloadFormat: subscription.payloadFormat as PayloadFormat,
    timeoutMs: subscription.timeoutMs,
    number: 1,
    transform,
  }
  const secret = Object.fromEntries(authHeaderNames(subscription).map((name) => [name, redacted]))
  return { request: unsignedRequest(claim, secret, origin), transformFailure: null }
}

/** Whoever is shown a request may see what the event holds. */
function failureOf(error: unknown): TransformFailure {
  if (error instanceof TransformFailed) return { detail: error.told, position: error.position }
  if (error instanceof EvaluatorsUnavailable) return { detail: notTried, position: null }
  throw error
}
