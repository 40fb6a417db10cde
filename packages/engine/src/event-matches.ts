/**
 * Why an event went to some of its tenant's subscriptions and not to others, and what a filter says about an event that
 * nobody has published.
 *
 * What is told is judged by today's settings, because earlier ones are kept nowhere; where they may differ from those at
 * the time of publishing, the reason says so.
 */
import { type Filter, type MatchReason, type Uuid, uuidTime } from '@posthorn/contract'
import type { Database } from './db/database.ts'
import type { Subscription } from './db/generated/client.ts'
import { type Event, getEvent, refuseErased } from './event-reads.ts'
import { storedFilter } from './filters.ts'
import { type Candidate, explainMatching, type MatchedEvent, type Verdict } from './matching.ts'
import { getSubscription } from './subscription-reads.ts'
import type { Within } from './tenancy.ts'

export type EventMatch = Omit<Verdict, 'reason'> & {
  subscriptionId: Uuid
  state: string
  /** Why nothing is sent to it, or not now; null when something is or was. */
  reason: MatchReason | null
  /** The delivery that was made, whatever today's settings say. */
  deliveryId: Uuid | null
}

/**
 * Every subscription of an event's tenant, and deleted ones that got the event; the oldest first.
 *
 * @throws Problem `event_not_found`, `content_erased`
 */
export async function explainEvent(db: Database, id: Uuid, within: Within): Promise<EventMatch[]> {
  const event = await getEvent(db, id, within)
  refuseErased(event)
  const { tenantId } = event
  const deliveries = await db.prisma.delivery.findMany({
    where: { tenantId, eventId: id },
    select: { id: true, subscriptionId: true },
  })
  const delivered = new Map(deliveries.map((delivery) => [delivery.subscriptionId, delivery.id]))
  const subscriptions = await db.prisma.subscription.findMany({
    where: { tenantId, OR: [{ deletedAt: null }, { id: { in: [...delivered.keys()] } }] },
    orderBy: { id: 'asc' },
  })
  const verdicts = explainMatching(storedFilter, event, subscriptions.map(candidateOf), undefined)
  return subscriptions.map((subscription, index) => {
    const deliveryId = delivered.get(subscription.id) ?? null
    const verdict = verdicts[index] ?? nothingFailed
    return {
      ...verdict,
      ...today(event, subscription, verdict, deliveryId),
      subscriptionId: subscription.id,
      state: subscription.state,
      deliveryId,
    }
  })
}

/**
 * What a subscription says about an event that nobody has published.
 *
 * @param filter in place of the subscription's own
 * @throws Problem `subscription_not_found`
 */
export async function checkFilter(
  db: Database,
  id: Uuid,
  within: Within,
  { event, filter }: { event: MatchedEvent; filter: Filter | null | undefined },
): Promise<Verdict> {
  const subscription = candidateOf(await getSubscription(db, id, within))
  const candidate = filter === undefined ? subscription : { ...subscription, filter: filter?.text ?? null }
  return explainMatching(storedFilter, event, [candidate], undefined)[0] ?? nothingFailed
}

const nothingFailed: Verdict = { matched: true, reason: null, failed: null, unfinished: false }

function candidateOf({ id, eventTypes, filter }: Subscription): Candidate {
  return { subscriptionId: id, eventTypes, filter }
}

/** The verdict on a stored event, with what only time tells. */
function today(
  event: Event,
  subscription: Subscription,
  verdict: Verdict,
  deliveryId: Uuid | null,
): { matched: boolean; reason: MatchReason | null } {
  const { matched, reason } = verdict
  if (subscription.deletedAt !== null) return { matched: false, reason: 'deleted' }
  if (!matched) return { matched, reason }
  if (deliveryId === null) {
    const publishedAt = uuidTime(event.id)
    if (uuidTime(subscription.id) > publishedAt) return { matched, reason: 'created_later' }
    if (subscription.updatedAt.getTime() > publishedAt) return { matched, reason: 'changed_later' }
    // It was there, it has not changed and it matches: only the publisher can have left it out.
    return { matched: false, reason: 'not_chosen' }
  }
  return { matched, reason: heldReason(subscription.state) }
}

/** Why what matches is held and not sent. */
export function heldReason(state: string): 'paused' | 'disabled' | null {
  return state === 'paused' || state === 'disabled' ? state : null
}
