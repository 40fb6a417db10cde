/** A delivery with what `expand` asks for beside it. */
import { type DeliveryExpansion, deliveryExpansions, Problem } from '@posthorn/contract'
import {
  type Attempt,
  actorsOfTenant,
  type Database,
  type DeliveryRow,
  eventHeaderNames,
  getEvent,
  getSubscription,
  listAttempts,
} from '@posthorn/engine'
import type { Reader } from './reader.ts'
import { attemptView, type Beside } from './views/attempt.ts'
import { deliveryView } from './views/delivery.ts'
import { eventView } from './views/event.ts'
import { subscriptionView } from './views/subscription.ts'

/** The words of `expand`, whose form the schema has checked. */
export function expansionsOf(text: string | undefined): ReadonlySet<DeliveryExpansion> {
  const words = new Set(text?.split(','))
  return new Set(deliveryExpansions.filter((word) => words.has(word)))
}

/** The answer for `sendExactJson`. The delivery is known to be the caller's, and so all that belongs to it. */
export async function expandDelivery(
  db: Database,
  delivery: DeliveryRow,
  expansions: ReadonlySet<DeliveryExpansion>,
  reader: Reader,
) {
  const { id, tenant_id: tenantId } = delivery
  const [event, subscription, attempts] = await Promise.all([
    expansions.has('event') ? getEvent(db, delivery.event_id, tenantId) : undefined,
    expansions.has('subscription') ? subscriptionOrNull(db, delivery) : undefined,
    expansions.has('attempts') ? listAttempts(db, { id, tenantId }, {}) : undefined,
  ])
  const beside = attempts && (await besideAttempts(db, delivery, attempts.rows, reader))
  return {
    ...deliveryView(delivery),
    ...(event === undefined ? {} : { event: eventView(event, reader) }),
    ...(subscription === undefined ? {} : { subscription: subscription && subscriptionView(subscription, reader) }),
    ...(attempts === undefined || beside === undefined
      ? {}
      : { attempts: attempts.rows.map((attempt) => attemptView(attempt, reader, beside)) }),
  }
}

/**
 * What readers may not see of attempts, and cannot be told from them alone: the headers that the publisher gave, for those
 * who may not see payloads; and, for a customer, which person of the operator did something, and what they said of it.
 */
export async function besideAttempts(
  db: Database,
  { event_id: id, tenant_id: tenantId }: DeliveryRow,
  attempts: readonly Attempt[],
  reader: Reader,
): Promise<Beside> {
  const actors = attempts.flatMap(({ actor }) => (actor === null ? [] : [actor]))
  const [ofEvent, own] = await Promise.all([
    reader.payloads ? new Set<string>() : eventHeaderNames(db, { id, tenantId }),
    reader.tenantId === undefined ? undefined : actorsOfTenant(db, reader.tenantId, actors),
  ])
  return { ofEvent, isNamed: (actor) => own === undefined || own.has(actor) }
}

/** Null when it was deleted since. */
async function subscriptionOrNull(db: Database, delivery: DeliveryRow) {
  try {
    return await getSubscription(db, delivery.subscription_id, delivery.tenant_id)
  } catch (error) {
    if (error instanceof Problem && error.code === 'subscription_not_found') return null
    throw error
  }
}
