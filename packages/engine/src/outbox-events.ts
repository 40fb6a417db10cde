/** What is in the outbox, for people: to see what was refused and why, to try it again, and to give it up. */
import { formatId, type OutboxEventState, Problem, type Uuid } from '@posthorn/contract'
import { writeAudit } from './audit.ts'
import type { Database } from './db/database.ts'
import { type OutboxEvent, Prisma } from './db/generated/client.ts'
import { type OutboxContentRow, selectOutboxContent } from './db/sql/select-outbox-event.ts'
import { transaction } from './db/transaction.ts'
import { isCountKey, type Page, type PageRequest, planPage } from './paging.ts'

/** Without its data and its headers: they may be long, and are the publisher's own. */
export type ListedOutboxEvent = Omit<OutboxEvent, 'data' | 'headers'>

/** In the order of writing. */
export async function listOutboxEvents(
  db: Database,
  filter: { state: OutboxEventState; tenants: readonly string[] | undefined },
  request: PageRequest,
): Promise<Page<ListedOutboxEvent>> {
  const plan = planPage(`outbox ${filter.state}`, request, isCountKey)
  const [beyond] = plan.beyond ?? []
  const rows = await db.prisma.outboxEvent.findMany({
    where: {
      refusedAt: filter.state === 'refused' ? { not: null } : null,
      ...(filter.tenants === undefined ? {} : { tenantId: { in: [...filter.tenants] } }),
      ...(beyond === undefined
        ? {}
        : { place: plan.order === 'asc' ? { gt: BigInt(beyond) } : { lt: BigInt(beyond) } }),
    },
    omit: { data: true, headers: true },
    orderBy: { place: plan.order },
    take: plan.take,
  })
  return plan.page(rows, ({ place }) => [String(place)])
}

/** One of them, with the exact text of its data. */
export type WholeOutboxEvent = ListedOutboxEvent & OutboxContentRow

/** @throws Problem `outbox_event_not_found` */
export async function getOutboxEvent(db: Database, id: Uuid): Promise<WholeOutboxEvent> {
  const omit = { data: true, headers: true } as const
  const [listed, content] = await Promise.all([
    db.prisma.outboxEvent.findUnique({ where: { id }, omit }),
    selectOutboxContent(db.pool, id),
  ])
  // Published between the two, it is no longer there.
  if (listed === null || content === undefined) throw notFound(id)
  return { ...listed, ...content }
}

/**
 * Lets it wait to be published again, from the next look of a dispatcher on.
 *
 * @throws Problem `outbox_event_not_found`
 */
export function retryOutboxEvent(db: Database, id: Uuid): Promise<ListedOutboxEvent> {
  return transaction(db, async (tx) => {
    const [retried] = await tx.outboxEvent.updateManyAndReturn({
      where: { id },
      data: { refusedAt: null, problem: Prisma.DbNull, tries: 0, notBefore: null },
      omit: { data: true, headers: true },
    })
    if (retried === undefined) throw notFound(id)
    await writeAudit(tx, db, { target: formatId('outbox_event', id), tenantId: retried.tenantId })
    return retried
  })
}

/**
 * Gives up what was refused: it is never published. What waits may be on its way.
 *
 * @throws Problem `outbox_event_not_found`, `outbox_event_waiting`
 */
export function deleteOutboxEvent(db: Database, id: Uuid): Promise<void> {
  return transaction(db, async (tx) => {
    const found = await tx.outboxEvent.findUnique({ where: { id }, select: { tenantId: true } })
    if (found === null) throw notFound(id)
    const { count } = await tx.outboxEvent.deleteMany({ where: { id, refusedAt: { not: null } } })
    if (count === 0) throw stillWaiting(id)
    await writeAudit(tx, db, { target: formatId('outbox_event', id), tenantId: found.tenantId })
  })
}

function stillWaiting(id: Uuid): Problem {
  return new Problem(
    'outbox_event_waiting',
    `The event ${formatId('outbox_event', id)} waits to be published, or is being published. Only what was refused can be given up.`,
  )
}

function notFound(id: Uuid): Problem {
  return new Problem(
    'outbox_event_not_found',
    `There is no event ${formatId('outbox_event', id)} in the outbox. What is published is no longer there.`,
  )
}
