/**
 * Retention: what is older than the operator keeps it goes.
 *
 * Of the whole installation by whole days: their partitions are taken off and dropped, which writes next to nothing and
 * makes nobody wait. Of a tenant that keeps less, by portions: the content of its older events goes, and the fact of their
 * delivery stays until its day does. Nothing that is still to be sent is touched by either.
 */
import { type Uuid, uuidFloor } from '@posthorn/contract'
import type { Database } from './db/database.ts'
import { dropOldPartitions } from './db/partitions.ts'
import { deleteOldAudit } from './db/sql/delete-old-audit.ts'
import { deleteOldPublishIds } from './db/sql/delete-old-publish-ids.ts'
import { deleteOldReplayItems } from './db/sql/delete-old-replay-items.ts'
import { deleteOldReplays } from './db/sql/delete-old-replays.ts'
import { eraseEvents } from './db/sql/erase-events.ts'
import { eraseLateAttempts } from './db/sql/erase-late-attempts.ts'
import { selectErasable } from './db/sql/select-erasable.ts'
import { inPortion } from './erasures.ts'

export const retentionDaysDefault = 30
export const auditRetentionDaysDefault = 365
const dayMs = 86_400_000
const rowsPerPortion = 5_000
const eventsPerPortion = 50
/** Sessions that have ended are shown so long. */
const endedSessionDays = 30
/** A dispatcher that was stalled for longer than this does not come back. */
const lateAttemptDays = 3

export type Retention = {
  retentionDays: number
  auditRetentionDays: number
}

export type Retained = {
  /** Partitions that went. */
  dropped: readonly string[]
  /** Days that stay because something of them is still to be sent. */
  kept: readonly string[]
  /** Events whose content went before their day. */
  erased: number
}

/** Applies the retention, once. What fails today is done by the next call. */
export async function applyRetention(
  db: Database,
  { retentionDays, auditRetentionDays }: Retention,
  nowMs: number,
  isOver: () => boolean,
): Promise<Retained> {
  const cutoffMs = nowMs - retentionDays * dayMs
  const { dropped, kept } = await dropOldPartitions(db.pool, cutoffMs)
  await inPortions(isOver, () => deleteOldPublishIds(db.pool, uuidFloor(cutoffMs - 2 * dayMs), rowsPerPortion))
  await inPortions(isOver, () => deleteOldAudit(db.pool, uuidFloor(nowMs - auditRetentionDays * dayMs), rowsPerPortion))
  await inPortions(isOver, () => deleteOldReplayItems(db.pool, new Date(cutoffMs), rowsPerPortion))
  await inPortions(isOver, () => deleteOldReplays(db.pool, new Date(cutoffMs), rowsPerPortion))
  await db.prisma.portalSession.deleteMany({
    where: { expiresAt: { lt: new Date(nowMs - endedSessionDays * dayMs) } },
  })
  await eraseLateAttempts(db.pool, lateAttemptDays)
  return { dropped, kept, erased: await eraseForTenants(db, nowMs, isOver) }
}

/** Of tenants that keep less than the installation. */
async function eraseForTenants(db: Database, nowMs: number, isOver: () => boolean): Promise<number> {
  const tenants = await db.prisma.tenant.findMany({ where: { retentionDays: { not: null } } })
  let count = 0
  for (const { id: tenantId, retentionDays, retainedFrom } of tenants) {
    const before = uuidFloor(nowMs - (retentionDays ?? 0) * dayMs)
    let after = retainedFrom ?? uuidFloor(0)
    // Until there the content of everything is gone: behind it may be what is still to be sent.
    let firstLeft: Uuid | null = null
    for (let isLast = false; !isLast && !isOver(); ) {
      const portion = await inPortion(db, async (runner) => {
        const eventIds = await selectErasable(runner, { tenantId, after, before, rowsMax: eventsPerPortion })
        const erased = await eraseEvents(runner, { tenantId, eventIds, cancels: false })
        return { erased, eventIds }
      })
      count += portion.erased.events
      firstLeft ??= portion.erased.first_left
      after = portion.eventIds.at(-1) ?? after
      isLast = portion.eventIds.length < eventsPerPortion
      if (firstLeft === null && portion.eventIds.length > 0) {
        await db.prisma.tenant.updateMany({ where: { id: tenantId }, data: { retainedFrom: after } })
      }
    }
  }
  return count
}

async function inPortions(isOver: () => boolean, portion: () => Promise<number>): Promise<void> {
  while (!isOver() && (await portion()) === rowsPerPortion) {
    // the next one
  }
}
