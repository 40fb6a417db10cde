/**
 * Reading deliveries and their attempts.
 */
import { formatId, Problem, type Uuid } from '@posthorn/contract'
import type { Database } from './db/database.ts'
import type { Attempt } from './db/generated/client.ts'
import { countDeliveries as countStatement } from './db/sql/count-deliveries.ts'
import type { DeliveryFilter } from './db/sql/filter-conditions.ts'
import { type DeliveryRow, listDeliveries as listStatement } from './db/sql/list-deliveries.ts'
import { type Counting, isUuidKey, type Page, type PageRequest, planPage } from './paging.ts'
import { inTenant, tenantsOf, type Within } from './tenancy.ts'

export type { Attempt } from './db/generated/client.ts'
export type { DeliveryRow } from './db/sql/list-deliveries.ts'

/** Attempts that are looked through for one that was sent. */
const newestMax = 50

/** By the time they were made, which is the time of publishing. */
export async function listDeliveries(
  db: Database,
  filter: DeliveryFilter,
  request: PageRequest & Counting,
): Promise<Page<DeliveryRow>> {
  const plan = planPage('deliveries', request, isUuidKey)
  const beyond = { id: plan.beyond?.[0], order: plan.order, take: plan.take }
  const [rows, count] = await Promise.all([
    listStatement(db.pool, filter, beyond),
    request.count === 'exact' ? countStatement(db.pool, filter) : undefined,
  ])
  return { ...plan.page(rows, (delivery) => [delivery.id]), count }
}

/** @throws Problem `delivery_not_found` */
export async function getDelivery(db: Database, id: Uuid, within: Within): Promise<DeliveryRow> {
  const filter = { tenants: tenantsOf(within, undefined), ids: [id] }
  const [row] = await listStatement(db.pool, filter, { id: undefined, order: 'desc', take: 1 })
  if (row === undefined) throw new Problem('delivery_not_found', `There is no delivery ${formatId('delivery', id)}.`)
  return row
}

/** The newest request of a delivery of which it is known that it was made; the delivery is known to be the caller's. */
export async function newestSent(
  db: Database,
  { id, tenantId }: { id: Uuid; tenantId: string },
): Promise<{ number: number; startedAt: Date; url: string; headers: Record<string, string> } | undefined> {
  const attempts = await db.prisma.attempt.findMany({
    where: { tenantId, deliveryId: id },
    orderBy: { number: 'desc' },
    take: newestMax,
    select: { number: true, startedAt: true, url: true, requestHeaders: true },
  })
  // Written from records of texts. Of one that was never sent there are none.
  const told = attempts.map(({ requestHeaders, ...rest }) => ({
    ...rest,
    headers: requestHeaders as Record<string, string>,
  }))
  return told.find(({ headers }) => headers['webhook-signature'] !== undefined)
}

/** The attempts of a delivery, by the time they were begun. The delivery itself is known to be the caller's. */
export async function listAttempts(
  db: Database,
  delivery: { id: Uuid; tenantId: string },
  request: PageRequest,
): Promise<Page<Attempt>> {
  const plan = planPage('attempts', request, isUuidKey)
  const [beyond] = plan.beyond ?? []
  const rows = await db.prisma.attempt.findMany({
    where: {
      ...inTenant(delivery.tenantId),
      deliveryId: delivery.id,
      ...(beyond === undefined ? {} : { id: plan.order === 'asc' ? { gt: beyond } : { lt: beyond } }),
    },
    orderBy: { id: plan.order },
    take: plan.take,
  })
  return plan.page(rows, (attempt) => [attempt.id])
}
