import type { Uuid } from '@posthorn/contract'
import { type Runner, run } from './statement.ts'

/**
 * Takes away up to `rowsMax` items of an expired draft. Answers how many. Of any other replay it takes nothing.
 *
 * Locks the items, and skips what others have locked: two callers share them. Walks the primary key. Nobody else has to do
 * with items of an expired draft: it is final.
 */
export async function deleteReplayItems(runner: Runner, replayId: Uuid, rowsMax: number): Promise<number> {
  const rows = await run<{ count: number }>(runner, { name: 'delete-replay-items', text, values: [replayId, rowsMax] })
  return rows[0]?.count ?? 0
}

const text = `
with old as (
  select i.delivery_id from replay_item i
  where i.replay_id = $1 and exists (select from replay r where r.id = $1 and r.state = 'expired')
  limit $2
  for update skip locked
), gone as (
  delete from replay_item i using old where i.replay_id = $1 and i.delivery_id = old.delivery_id returning 1
)
select count(*)::int as count from gone`
