/** What a subscription would be sent: trying a transform on an event before it is kept. */
import type { Uuid } from '@posthorn/contract'
import { requestFor, type ShowingParts, type ShownEvent, type ShownRequest } from './dry-run.ts'
import { getEvent, refuseErased } from './event-reads.ts'
import { getSubscription } from './subscription-reads.ts'
import type { Within } from './tenancy.ts'
import { newUuid, type World } from './world.ts'

export type TransformPreview = {
  /** In place of the subscription's own; null tries none at all. */
  transform?: string | null
  /** An event that was published, or one that nobody has. */
  event: { id: Uuid } | { type: string; data: string; keys: Record<string, string>; timestamp: Date | undefined }
}

/**
 * Makes the request that a subscription would get, by the code and under the limits of real ones. Nothing is stored or sent.
 *
 * @throws Problem `subscription_not_found`, `event_not_found` also for an event of another tenant, `invalid_transform`
 */
export async function previewTransform(
  parts: ShowingParts & { world: World },
  id: Uuid,
  within: Within,
  given: TransformPreview,
): Promise<ShownRequest> {
  const subscription = await getSubscription(parts.db, id, within)
  const { transform = subscription.transform } = given
  const owner = { tenantId: subscription.tenantId, subscriptionId: id }
  if (typeof given.transform === 'string') await parts.transforms.check(given.transform, owner, '/transform')
  const event = await eventOf(parts, subscription.tenantId, given.event)
  return requestFor(parts, event, { ...subscription, transform })
}

async function eventOf(
  { db, world }: { db: ShowingParts['db']; world: World },
  tenantId: string,
  given: TransformPreview['event'],
): Promise<ShownEvent> {
  if ('id' in given) {
    const { validationErrors, ...event } = await getEvent(db, given.id, tenantId)
    refuseErased(event)
    return { ...event, validationErrors: validationErrors === null ? null : JSON.stringify(validationErrors) }
  }
  const timestamp = given.timestamp ?? new Date(world.now())
  const nothingElse = { headers: null, schemaVersion: null, validationErrors: null, traceparent: null }
  return { ...given, id: newUuid(world), timestamp, ...nothingElse }
}
