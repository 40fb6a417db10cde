import type { ReplayState, Uuid } from '@posthorn/contract'
import { type Runner, run } from './statement.ts'

/**
 * Calls a replay off: what still waits is never sent, and what is under way ends by itself. Answers whether there was one
 * in such a state.
 *
 * Locks the replay, then its waiting items; a portion that is being fed is waited for. Walks `replay_item_waiting_idx`.
 */
export async function cancelReplay(runner: Runner, replayId: Uuid, states: readonly ReplayState[]): Promise<boolean> {
  const rows = await run<{ id: Uuid }>(runner, { name: 'cancel-replay', text, values: [replayId, states] })
  return rows.length > 0
}

const text = `
with canceled as (
  update replay set state = 'canceled', finished_at = now()
  where id = $1 and state = any($2::text[])
  returning id
), called_off as (
  update replay_item i
  set outcome = 'canceled', finished_at = now()
  from canceled c
  where i.replay_id = c.id and i.outcome = 'waiting'
)
select id from canceled`
