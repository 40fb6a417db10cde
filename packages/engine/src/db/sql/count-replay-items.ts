import type { FailureCode, ReplayOutcome, ReplaySkipReason, Uuid } from '@posthorn/contract'
import { type Runner, run } from './statement.ts'

export type ReplayCount = {
  replay_id: Uuid
  outcome: ReplayOutcome
  failure_code: FailureCode | null
  skip_reason: ReplaySkipReason | null
  count: number
}

/** What has become of the items of replays, counted one by one. Locks nothing; walks the primary key. */
export function countReplayItems(runner: Runner, replayIds: readonly Uuid[]): Promise<ReplayCount[]> {
  return run<ReplayCount>(runner, { name: 'count-replay-items', text, values: [replayIds] })
}

const text = `
select replay_id, outcome, case when outcome = 'failed' then failure_code end as failure_code, skip_reason,
       count(*)::int as count
from replay_item
where replay_id = any($1::uuid[])
group by 1, 2, 3, 4
order by 1, 2, 5 desc, 3, 4`
