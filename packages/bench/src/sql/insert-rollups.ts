import type { Database } from '@posthorn/engine'

export type RollupShape = {
  /** Attempts that are counted, spread evenly over the days. */
  attempts: number
  days: number
  tenants: number
  subscriptionsPerTenant: number
}

/**
 * The rollups that so many attempts leave just before the hour that ended last is rolled up: open minutes since its
 * beginning, kept minutes of the last two days, and hours before. Nine of ten attempts are accepted; the others fail by one
 * of two codes. So a minute has at most three rows a subscription.
 *
 * Locks the new rows only.
 */
export async function insertRollups(
  { pool }: Database,
  nowMs: number,
  { attempts, days, tenants, subscriptionsPerTenant }: RollupShape,
): Promise<void> {
  const perMinute = attempts / (days * minutesADay)
  const openMinutes = 60 + Math.floor((nowMs % hourMs) / minuteMs)
  const insert = async (table: Table, slot: 'minute' | 'hour', from: number, before: number) => {
    const count = slot === 'hour' ? perMinute * 60 : perMinute
    for (let at = from; at < before; at += slotsAtOnce) {
      const values = [tenants, subscriptionsPerTenant, count, at, Math.min(at + slotsAtOnce, before), new Date(nowMs)]
      await pool.query(textFor(table, slot), values)
    }
  }
  await insert('attempt_minute', 'minute', 0, openMinutes + 1)
  await insert('attempt_minute_kept', 'minute', openMinutes + 1, keptDays * minutesADay)
  await insert('attempt_hour', 'hour', 2, days * 24)
}

type Table = 'attempt_minute' | 'attempt_minute_kept' | 'attempt_hour'

const minuteMs = 60_000
const hourMs = 3_600_000
const minutesADay = 24 * 60
/** A statement of the pool has a limit of time. */
const slotsAtOnce = 24
/** How long minutes are kept: decision 0035. */
const keptDays = 2

/** $1 tenants, $2 subscriptions a tenant, $3 attempts in a slot, $4 and $5 slots back from $6. */
function textFor(table: Table, slot: 'minute' | 'hour'): string {
  return `
with slots as (
  select date_trunc('${slot}', $6::timestamptz, 'UTC') - back * interval '1 ${slot}' as starts_at, back
  from generate_series($4::int, $5::int - 1) as back
), counted as (
  -- With fewer attempts in a slot than there are keys, it is another part of the keys in each.
  select starts_at, (back * 7919 + key) % ($1::int * $2::int * 3) as key,
         greatest(1, round($3::float8 / least(ceil($3::float8), $1::int * $2::int * 3)))::int as attempts
  from slots, generate_series(0, least(ceil($3::float8)::int, $1::int * $2::int * 3) - 1) as key
), named as (
  select starts_at, attempts, key / 3 as subscription,
         (array['', 'http_5xx', 'response_timeout'])[case when key % 30 < 27 then 1 else 2 + key % 2 end] as failure_code
  from counted
)
insert into ${table} (starts_at, tenant_id, subscription_id, event_type, trigger, failure_code, host, attempts, ended,
                      entered, first_at, last_at, waits, times)
select starts_at, 'tenant-' || subscription / $2::int, lpad(to_hex(subscription), 32, '0')::uuid,
       'order.' || subscription % 20, 'automatic', failure_code, 'r' || subscription || '.example',
       sum(attempts), sum(attempts), sum(attempts), starts_at, starts_at,
       array_fill(1, array[18]), array_fill(1, array[18])
from named
group by starts_at, subscription, failure_code`
}
