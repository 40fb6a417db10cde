import type { Uuid } from '@posthorn/contract'
import { type Runner, run } from './statement.ts'

/**
 * The subscriptions that have work although they are paused, disabled, deleted or gone altogether. Locks nothing; reads
 * the whole backlog once, so it is for a sweep and not for a request.
 */
export async function selectInactiveWork(runner: Runner): Promise<Uuid[]> {
  const rows = await run<{ subscription_id: string }>(runner, { name: 'select-inactive-work', text, values: [] })
  return rows.map((row) => row.subscription_id)
}

const text = `
select distinct b.subscription_id
from backlog b
left join subscription s on s.id = b.subscription_id
where b.leased_at is null and (s.id is null or s.state <> 'active' or s.deleted_at is not null)`
