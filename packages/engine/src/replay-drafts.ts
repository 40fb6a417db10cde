/**
 * The end of drafts that nobody runs. What a draft has counted is true for a while only, and its items, up to a million
 * rows, are kept for nothing but the run. So it expires: first it can no longer be run, then its items go, in portions.
 *
 * Any number of callers may do this beside each other, and each may be killed anywhere: the state is one row, and an
 * expired draft that still has items is found by that.
 */
import type { Database } from './db/database.ts'
import { deleteReplayItems } from './db/sql/delete-replay-items.ts'
import { expireDrafts } from './db/sql/expire-drafts.ts'
import { noteItemsGone } from './db/sql/note-items-gone.ts'

/** Drafts ended, and items taken away, by one statement. */
const draftsPerStatement = 1_000
const itemsPerStatementDefault = 10_000

/** Ends the drafts whose time is over, and takes their items away. Answers how many drafts ended. */
export async function expireOldDrafts(
  db: Database,
  { itemsPerStatement = itemsPerStatementDefault }: { itemsPerStatement?: number } = {},
): Promise<number> {
  let count = 0
  for (let last = draftsPerStatement; last === draftsPerStatement; count += last) {
    last = await expireDrafts(db.pool, draftsPerStatement)
  }
  const expired = await db.prisma.replay.findMany({
    where: { state: 'expired', hasItems: true },
    select: { id: true },
    orderBy: { id: 'asc' },
  })
  for (const { id } of expired) {
    while ((await deleteReplayItems(db.pool, id, itemsPerStatement)) === itemsPerStatement) {
      // the next portion
    }
    await noteItemsGone(db.pool, id)
  }
  return count
}
