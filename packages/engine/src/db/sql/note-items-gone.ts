import type { Uuid } from '@posthorn/contract'
import { type Runner, run } from './statement.ts'

/**
 * Notes that an expired draft has no items any more, so that nobody looks for them again. While another caller is about to
 * take the last of them away it sees them still there, and leaves the note to that one, or to the next run.
 *
 * Locks the replay; looks at the front of the primary key of `replay_item`.
 */
export async function noteItemsGone(runner: Runner, replayId: Uuid): Promise<void> {
  await run(runner, { name: 'note-items-gone', text, values: [replayId] })
}

const text = `
update replay r
set has_items = false
where r.id = $1 and r.state = 'expired'
  and (select 1 from replay_item i where i.replay_id = $1 order by i.replay_id, i.delivery_id limit 1) is null`
