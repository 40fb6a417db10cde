import { bucketCount } from '../../histogram.ts'
import { addingUp, rollupKey } from './attempt-rollup.ts'
import { type Runner, run } from './statement.ts'

/**
 * Adds the oldest minutes that begin before a time to their hours, at most so many rows, and moves them to those that are kept
 * beside hours: all or nothing. Answers how many rows it were. What is counted in these minutes later makes new rows of them,
 * which the next call adds in the same way.
 *
 * Locks the minutes in the order of their keys, as those who count do, and then the rows that it adds to. Walks the primary
 * keys. Of two callers the second waits and finds nothing left of what the first has taken.
 */
export async function rollUpMinutes(runner: Runner, before: Date, rowsMax: number): Promise<number> {
  const rows = await run<{ count: number }>(runner, { name: 'roll-up-minutes', text, values: [before, rowsMax] })
  return rows[0]?.count ?? 0
}

const columns = `${rollupKey}, attempts, ended, entered, first_at, last_at, delivery_id, waits, times`
const sums = (name: string) =>
  `array[${Array.from({ length: bucketCount }, (_, index) => `sum(${name}[${index + 1}])`).join(', ')}]::int[]`

const text = `
with locked as materialized (
  select ctid as place, starts_at from attempt_minute where starts_at < $1 order by ${rollupKey} limit $2 for update
), taken as (
  delete from attempt_minute m using locked l where m.ctid = l.place and m.starts_at = l.starts_at
  returning m.*
), rolled_up as (
  insert into attempt_hour as r (${columns})
  select date_trunc('hour', starts_at, 'UTC'), tenant_id, subscription_id, event_type, trigger, failure_code, host,
         sum(attempts), sum(ended), sum(entered), min(first_at), max(last_at),
         (array_agg(delivery_id order by starts_at desc) filter (where delivery_id is not null))[1], ${sums('waits')}, ${sums('times')}
  from taken
  group by 1, 2, 3, 4, 5, 6, 7
  order by 1, 2, 3, 4, 5, 6, 7
  on conflict (${rollupKey}) do update
  ${addingUp}
), kept as (
  insert into attempt_minute_kept as r (${columns})
  select ${columns} from taken order by ${rollupKey}
  on conflict (${rollupKey}) do update
  ${addingUp}
)
select count(*)::int as count from taken`
