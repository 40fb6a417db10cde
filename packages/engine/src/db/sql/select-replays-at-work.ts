import type { ReplayChoice, Uuid } from '@posthorn/contract'
import { type Runner, run } from './statement.ts'

/** `targeted`: it goes to another URL. */
export type ReplayAtWork = { id: Uuid; choice: ReplayChoice; targeted: boolean }

/**
 * The replays that run, oldest first, and whether items of any replay are under way: those of a paused or canceled one
 * end too. Locks nothing; walks `replay_running_idx` and looks at the front of `replay_item_under_way_idx`.
 */
export async function selectReplaysAtWork(runner: Runner): Promise<{ running: ReplayAtWork[]; underWay: boolean }> {
  const rows = await run<{ running: ReplayAtWork[]; under_way: boolean }>(runner, {
    name: 'select-replays-at-work',
    text,
    values: [],
  })
  return { running: rows[0]?.running ?? [], underWay: rows[0]?.under_way ?? false }
}

const text = `
select coalesce((
         select json_agg(json_build_object('id', r.id, 'choice', r.choice, 'targeted', r.target_url is not null) order by r.id)
         from replay r where r.state = 'running'), '[]') as running,
       exists (select 1 from replay_item where outcome = 'under_way') as under_way`
