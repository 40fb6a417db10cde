/**
 * Reading subscriptions. Deleted ones are kept for the history of their deliveries and are not found here.
 */
import { formatId, limits, matchesEventType, Problem, type SubscriptionState, type Uuid } from '@posthorn/contract'
import type { Database } from './db/database.ts'
import type { Subscription } from './db/generated/client.ts'
import { countWaiting as countStatement } from './db/sql/count-waiting.ts'
import { selectSubscribedPatterns } from './db/sql/select-subscribed-patterns.ts'
import { isUuidKey, type Page, type PageRequest, planPage } from './paging.ts'
import { inTenant, tenantsOf, type Within } from './tenancy.ts'

export type { Subscription } from './db/generated/client.ts'

/** @throws Problem `subscription_not_found` */
export async function getSubscription(db: Database, id: Uuid, within: Within): Promise<Subscription> {
  const found = await db.prisma.subscription.findFirst({ where: { ...inTenant(within), id, deletedAt: null } })
  if (found === null) throw subscriptionNotFound(id)
  return found
}

/** How many deliveries wait to be sent or are held: those that a change of the subscription applies to. */
export async function countWaiting(db: Database, id: Uuid): Promise<{ count: number; hasMore: boolean }> {
  const countMax = limits.backlogCountMax
  const waiting = await countStatement(db.pool, id, countMax)
  return { count: Math.min(waiting, countMax), hasMore: waiting > countMax }
}

export type SubscriptionFilter = {
  within: Within
  tenants: readonly string[] | undefined
  states?: readonly SubscriptionState[] | undefined
  /** Names of event types: those that want one of them. */
  eventTypes?: readonly string[] | undefined
}

/** By the time they were made. */
export async function listSubscriptions(
  db: Database,
  filter: SubscriptionFilter,
  request: PageRequest,
): Promise<Page<Subscription>> {
  const plan = planPage('subscriptions', request, isUuidKey)
  const tenants = tenantsOf(filter.within, filter.tenants)
  const patterns = filter.eventTypes && (await patternsFor(db, tenants, filter.eventTypes))
  const [beyond] = plan.beyond ?? []
  const rows = await db.prisma.subscription.findMany({
    where: {
      ...(tenants === undefined ? {} : { tenantId: { in: [...tenants] } }),
      ...(filter.states === undefined ? {} : { state: { in: [...filter.states] } }),
      ...(patterns === undefined ? {} : { eventTypes: { hasSome: patterns } }),
      ...(beyond === undefined ? {} : { id: plan.order === 'asc' ? { gt: beyond } : { lt: beyond } }),
      deletedAt: null,
    },
    orderBy: { id: plan.order },
    take: plan.take,
  })
  return plan.page(rows, (subscription) => [subscription.id])
}

/** The patterns by which subscriptions of these tenants want one of the event types. */
async function patternsFor(
  db: Database,
  tenants: readonly string[] | undefined,
  eventTypes: readonly string[],
): Promise<string[]> {
  const patterns = await selectSubscribedPatterns(db.pool, tenants)
  return patterns.filter((pattern) => eventTypes.some((name) => matchesEventType(pattern, name)))
}

/** The refusal of a subscription that is not there, or not the caller's. */
export function subscriptionNotFound(id: Uuid): Problem {
  return new Problem('subscription_not_found', `There is no subscription ${formatId('subscription', id)}.`)
}
