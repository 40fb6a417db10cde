import { bucketCount } from '../../histogram.ts'
import { addingUp, rollupKey } from './attempt-rollup.ts'
import { type Runner, run } from './statement.ts'

/**
 * Turns the minutes of the oldest hour that begins before a time into rows of that hour, all or nothing. Answers whether
 * there were any. What is counted in these minutes later stays in them, and comes to the hour with the next call.
 *
 * Locks the minutes in the order of their keys, as those who count do, and then the hour's rows. Walks both primary keys.
 * Of two callers the second waits and finds nothing left.
 */
export async function rollUpHour(runner: Runner, before: Date): Promise<boolean> {
  const rows = await run<{ count: number }>(runner, { name: 'roll-up-hour', text, values: [before] })
  return (rows[0]?.count ?? 0) > 0
}

const sums = (name: string) =>
  `array[${Array.from({ length: bucketCount }, (_, index) => `sum(${name}[${index + 1}])`).join(', ')}]::int[]`

const text = `
with hour as materialized (
  select date_trunc('hour', min(starts_at), 'UTC') as starts_at from attempt_minute where starts_at < $1
), locked as materialized (
  select m.ctid as place, m.*
  from attempt_minute m, hour h
  where m.starts_at >= h.starts_at and m.starts_at < h.starts_at + interval '1 hour'
  order by m.starts_at, m.tenant_id, m.subscription_id, m.event_type, m.trigger, m.failure_code, m.host
  for update of m
), taken as (
  delete from attempt_minute m using locked l where m.ctid = l.place and m.starts_at = l.starts_at
  returning m.*
), rolled_up as (
  insert into attempt_hour as r (${rollupKey}, attempts, ended, entered, first_at, last_at, delivery_id, waits, times)
  select date_trunc('hour', starts_at, 'UTC'), tenant_id, subscription_id, event_type, trigger, failure_code, host,
         sum(attempts), sum(ended), sum(entered), min(first_at), max(last_at),
         (array_agg(delivery_id order by starts_at desc) filter (where delivery_id is not null))[1], ${sums('waits')}, ${sums('times')}
  from taken
  group by 1, 2, 3, 4, 5, 6, 7
  order by 1, 2, 3, 4, 5, 6, 7
  on conflict (${rollupKey}) do update
  ${addingUp}
)
select count(*)::int as count from taken`
