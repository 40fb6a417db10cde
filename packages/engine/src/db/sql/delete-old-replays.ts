import { uuidFloor } from '@posthorn/contract'
import { type Runner, run } from './statement.ts'

/**
 * Takes away replays that ended before a time and have no items any more. Answers how many.
 *
 * Locks those replays, and skips what others have locked: two callers share them. Walks the primary key up to that time, and
 * looks at the front of that of `replay_item`. What has items still is left to the next run.
 */
export async function deleteOldReplays(runner: Runner, before: Date, rowsMax: number): Promise<number> {
  const values = [before, uuidFloor(before.getTime()), rowsMax]
  const rows = await run<{ count: number }>(runner, { name: 'delete-old-replays', text, values })
  return rows[0]?.count ?? 0
}

const text = `
with old as (
  select r.id from replay r
  where r.id < $2 and r.finished_at < $1
    and (select 1 from replay_item i where i.replay_id = r.id order by i.replay_id, i.delivery_id limit 1) is null
  limit $3
  for update skip locked
), gone as (
  delete from replay r using old where r.id = old.id returning 1
)
select count(*)::int as count from gone`
