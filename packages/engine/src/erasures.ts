/**
 * Erasing: the content of a tenant's events goes, or of those with one business key, and the fact of their delivery stays.
 *
 * A row says what is to be erased and how far that is; a job does it in portions, each of them one transaction with the
 * progress. Whoever is killed in between has done whole portions, and the next run goes on behind the last of them.
 */
import { formatId, Problem, tenantIdPattern, type Uuid, uuidFloor } from '@posthorn/contract'
import { writeAudit } from './audit.ts'
import type { Database } from './db/database.ts'
import type { Erasure } from './db/generated/client.ts'
import { poolTransaction } from './db/pool-transaction.ts'
import { advanceErasure } from './db/sql/advance-erasure.ts'
import { eraseEvents } from './db/sql/erase-events.ts'
import { forgetReplayKeys } from './db/sql/forget-replay-keys.ts'
import { selectErasable } from './db/sql/select-erasable.ts'
import { selectErasableByKey } from './db/sql/select-erasable-by-key.ts'
import type { Runner } from './db/sql/statement.ts'
import { transaction } from './db/transaction.ts'
import type { Jobs } from './jobs.ts'
import { eraseOutbox, holdOutbox } from './outbox-erasure.ts'
import { isUuidKey, type Page, type PageRequest, planPage } from './paging.ts'
import { tenantNotFound } from './tenants.ts'
import { newUuid, type World } from './world.ts'

export type { Erasure } from './db/generated/client.ts'

export type ErasureDraft = {
  tenantId: string
  /** One business key; undefined for everything of the tenant. */
  key?: { name: string; value: string } | undefined
  actor: string
  reason: string
}

/** Events of one portion: each may have hundreds of deliveries, and each of those a few attempts. */
const eventsPerPortion = 50
/** No portion waits longer for a lock, in milliseconds, and none is tried again in the same run. */
export const portionLockMs = 2_000
/** Waiting for the outbox and reading it, in milliseconds. */
const requestMsMax = 40_000
const firstUuid = uuidFloor(0)
/** Ids are made on several machines: what was published a moment ago may carry a later time than ours. */
const clockSlackMs = 60_000
const idForm = new RegExp(tenantIdPattern, 'u')

/**
 * Asks for an erasure. What was published until now is part of it; what is still in the outbox goes at once, and what is
 * being published from there is waited for.
 *
 * @throws Problem `tenant_not_found` when there is neither such a tenant nor anything that was published for it;
 *   `overloaded` when what is in the outbox is being published for too long
 */
export async function requestErasure(
  parts: { db: Database; world: World; jobs: Jobs; outboxWaitMs?: number },
  draft: ErasureDraft,
): Promise<Erasure> {
  const { db, world, jobs, outboxWaitMs } = parts
  const { tenantId, key, actor, reason } = draft
  await isKnown(db, tenantId)
  const id = newUuid(world)
  return transaction(
    db,
    async (tx) => {
      await holdOutbox(tx, outboxWaitMs)
      await eraseOutbox(tx, { tenantId, key })
      const keys = { keyName: key?.name ?? null, keyValue: key?.value ?? null }
      // Behind the wait: what came out of the outbox meanwhile is part of it.
      const beforeEventId = uuidFloor(world.now() + clockSlackMs)
      const erasure = await tx.erasure.create({ data: { id, tenantId, ...keys, actor, reason, beforeEventId } })
      await writeAudit(tx, db, { target: formatId('erasure', id), tenantId })
      await jobs.send(tx, 'erase', {}, '')
      return erasure
    },
    { timeoutMs: requestMsMax },
  )
}

/** @throws Problem `erasure_not_found` */
export async function getErasure(db: Database, id: Uuid): Promise<Erasure> {
  const erasure = await db.prisma.erasure.findUnique({ where: { id } })
  if (erasure === null) throw new Problem('erasure_not_found', `There is no erasure ${formatId('erasure', id)}.`)
  return erasure
}

/** By the time they were asked for. */
export async function listErasures(db: Database, request: PageRequest): Promise<Page<Erasure>> {
  const plan = planPage('erasures', request, isUuidKey)
  const [beyond] = plan.beyond ?? []
  const rows = await db.prisma.erasure.findMany({
    where: beyond === undefined ? {} : { id: plan.order === 'asc' ? { gt: beyond } : { lt: beyond } },
    orderBy: { id: plan.order },
    take: plan.take,
  })
  return plan.page(rows, (erasure) => [erasure.id])
}

/**
 * Works on every erasure that is running, until all are through a pass or `isOver` says that the time is. What an attempt
 * in flight keeps from being erased is left for another run.
 *
 * @returns how many events were erased
 */
export async function eraseRunning(db: Database, isOver: () => boolean): Promise<number> {
  const running = await db.prisma.erasure.findMany({ where: { state: 'running' }, orderBy: { id: 'asc' } })
  let count = 0
  for (const erasure of running) {
    let passFrom = erasure.passFrom ?? firstUuid
    for (let isLast = false; !isLast && !isOver(); ) {
      const portion = await inPortion(db, async (runner) => {
        const eventIds = await nextOf(runner, erasure, passFrom)
        const erased = await eraseEvents(runner, { tenantId: erasure.tenantId, eventIds, cancels: true })
        const end = eventIds.length < eventsPerPortion
        const next = eventIds.at(-1) ?? passFrom
        // The value of the key is forgotten with the last portion, so this comes before.
        if (end) await forgetReplayKeys(runner, erasure)
        await advanceErasure(runner, erasure.id, { erased, passFrom: next, isLast: end })
        return { erased, next, end }
      })
      count += portion.erased.events
      passFrom = portion.next
      isLast = portion.end
    }
  }
  return count
}

/** Runs one portion in a transaction that waits for no lock for long. */
export function inPortion<T>(db: Database, work: (runner: Runner) => Promise<T>): Promise<T> {
  return poolTransaction(db, work, { lockTimeoutMs: portionLockMs })
}

function nextOf(runner: Runner, erasure: Erasure, after: Uuid): Promise<Uuid[]> {
  const { tenantId, keyName, keyValue, beforeEventId: before } = erasure
  const of = { tenantId, after, before, rowsMax: eventsPerPortion }
  if (keyName === null) return selectErasable(runner, of)
  // A CHECK holds that it is only gone when the erasure is completed.
  return selectErasableByKey(runner, { ...of, keyName, keyValue: keyValue ?? '' })
}

/** A tenant that was deleted is known by what was published for it, or was to be. */
async function isKnown(db: Database, tenantId: string): Promise<void> {
  if (!idForm.test(tenantId)) throw tenantNotFound(tenantId)
  const tenant = await db.prisma.tenant.findUnique({ where: { id: tenantId }, select: { id: true } })
  const event = tenant ?? (await db.prisma.event.findFirst({ where: { tenantId }, select: { id: true } }))
  const waiting = event ?? (await db.prisma.outboxEvent.findFirst({ where: { tenantId }, select: { id: true } }))
  if (waiting === null) throw tenantNotFound(tenantId)
}
