import type { Uuid } from '@posthorn/contract'
import { type Runner, run } from './statement.ts'

/** Those of these subscriptions that have a rate limit. Locks nothing; walks the primary key. */
export function selectPacedSubscriptions(
  runner: Runner,
  ids: readonly Uuid[],
): Promise<{ id: Uuid; rate_limit_per_second: number }[]> {
  return run(runner, { name: 'select-paced-subscriptions', text, values: [ids] })
}

const text = `
select id, rate_limit_per_second
from subscription
where id = any($1::uuid[]) and rate_limit_per_second is not null`
