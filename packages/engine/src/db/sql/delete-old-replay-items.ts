import { uuidFloor } from '@posthorn/contract'
import { type Runner, run } from './statement.ts'

/**
 * Takes away up to `rowsMax` items of replays that ended before a time. Answers how many.
 *
 * Locks the items, and skips what others have locked: two callers share them. Walks both primary keys: a replay that ended
 * before a time was made before it, and its id says when. Nobody writes to items of a replay that has ended.
 */
export async function deleteOldReplayItems(runner: Runner, before: Date, rowsMax: number): Promise<number> {
  const values = [before, uuidFloor(before.getTime()), rowsMax]
  const rows = await run<{ count: number }>(runner, { name: 'delete-old-replay-items', text, values })
  return rows[0]?.count ?? 0
}

const text = `
with old as (
  select i.replay_id, i.delivery_id
  from replay r
  join replay_item i on i.replay_id = r.id
  where r.id < $2 and r.finished_at < $1
  limit $3
  for update of i skip locked
), gone as (
  delete from replay_item i using old where i.replay_id = old.replay_id and i.delivery_id = old.delivery_id returning 1
)
select count(*)::int as count from gone`
