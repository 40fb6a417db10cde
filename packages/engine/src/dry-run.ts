/**
 * What publishing would do, without doing it: the verdict on each subscription, and the requests that would be made. The
 * requests come from the function that makes the real ones; credentials for receivers are not opened for it.
 */
import type { PayloadFormat, ProblemPlace, Uuid } from '@posthorn/contract'
import { type AttemptRequest, redacted, unsignedRequest } from './attempt.ts'
import type { Database } from './db/database.ts'
import type { Subscription } from './db/generated/client.ts'
import type { NewEvent } from './db/sql/insert-events.ts'
import type { Verdict } from './matching.ts'
import type { EventOrigin } from './payload.ts'
import { authHeaderNames } from './subscription-auth.ts'

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
  /** Null when nothing would be sent. Without the headers of the signature, which are made when it is sent. */
  request: AttemptRequest | null
}

/** The first request that each of these subscriptions would get. */
export async function requestsFor(
  db: Database,
  event: NewEvent,
  subscriptionIds: readonly Uuid[],
  origin: EventOrigin,
): Promise<Map<Uuid, AttemptRequest>> {
  const rows = await db.prisma.subscription.findMany({ where: { id: { in: [...subscriptionIds] } } })
  return new Map(rows.map((subscription) => [subscription.id, requestFor(event, subscription, origin)]))
}

function requestFor(event: NewEvent, subscription: Subscription, origin: EventOrigin): AttemptRequest {
  const { id: eventId, type, timestamp, data, validationErrors, schemaVersion } = event
  const claim = {
    eventId,
    // As claims read it: a version is named only where the data fits it.
    event: { type, timestamp, data, schemaVersion: validationErrors === null ? schemaVersion : null },
    url: subscription.url,
    // Written by the engine as a record of texts.
    headers: subscription.headers as Record<string, string>,
    // The column's CHECK is held to the list of formats by a test.
    payloadFormat: subscription.payloadFormat as PayloadFormat,
    timeoutMs: subscription.timeoutMs,
    number: 1,
  }
  const secret = Object.fromEntries(authHeaderNames(subscription).map((name) => [name, redacted]))
  return unsignedRequest(claim, secret, origin)
}
