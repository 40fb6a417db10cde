import type { Uuid } from '@posthorn/contract'
import { type Runner, run } from './statement.ts'

/**
 * Ends the running replays of which no item waits or is under way any more. Answers with them.
 *
 * Locks those rows. Walks `replay_running_idx`, and for each looks at the front of `replay_item_waiting_idx` and through
 * `replay_item_under_way_idx`, which is small.
 */
export function finishReplays(runner: Runner): Promise<{ id: Uuid }[]> {
  return run<{ id: Uuid }>(runner, { name: 'finish-replays', text, values: [] })
}

const text = `
update replay r
set state = 'completed', finished_at = now()
where r.state = 'running'
  -- In the order of the index and with a limit, so that each is one look into it: as "not exists" all items were joined.
  and (
    select 1 from replay_item i
    where i.replay_id = r.id and i.outcome = 'waiting'
    order by i.replay_id, i.subscription_id, i.delivery_id
    limit 1
  ) is null
  and (select 1 from replay_item i where i.replay_id = r.id and i.outcome = 'under_way' limit 1) is null
returning r.id`
