import { countingIn, hostOf } from './attempt-rollup.ts'
import { type Runner, run } from './statement.ts'

/**
 * Makes due what has become due: retries whose time has come, and deliveries whose lease ran out because the dispatcher
 * that held it died or hangs. For the latter an attempt `aborted` is recorded: a request may have been sent whose answer
 * nobody saw, and counted in its rollup. Answers with the shards that have work now.
 *
 * Locks the rows it moves and skips locked ones, then rows of the rollups; walks `backlog_waiting_idx` and reads due rows only. Two callers share
 * the rows. The dispatcher that lost its lease finds its fence broken when it records.
 */
export async function wakeDeliveries(
  runner: Runner,
  shards: readonly number[],
  rowsMax: number,
): Promise<{ shard: number; woken: number }[]> {
  return run<{ shard: number; woken: number }>(runner, { name: 'wake-deliveries', text, values: [shards, rowsMax] })
}

const text = `
with due as materialized (
  select b.*
  from backlog b
  where not b.ready and b.shard = any($1::smallint[]) and b.next_attempt_at <= now()
  limit $2
  for update skip locked
), woken as (
  update backlog b
  set ready = true, leased_at = null, attempt_id = null
  from due
  where b.delivery_id = due.delivery_id
  returning b.shard
), aborted as (
  insert into attempt (id, tenant_id, delivery_id, event_id, subscription_id, number, trigger, actor, reason, started_at,
    url, request_headers, failure_code, failure_detail, response_headers, response_body, response_truncated, wait_ms, total_ms)
  select due.attempt_id, due.tenant_id, due.delivery_id, due.event_id, due.subscription_id, due.attempt_number, due.trigger,
    due.actor, due.reason, due.leased_at, s.url, '{}', 'aborted',
    'The dispatcher stopped before it knew the answer. The receiver may have seen this request.',
    '{}', '', false, 0, extract(epoch from now() - due.leased_at) * 1000
  from due
  join subscription s on s.id = due.subscription_id
  where due.attempt_id is not null
  on conflict (id) do nothing
  returning *
), noted as (
  update delivery d
  set state = 'retrying', attempt_count = due.attempt_number, last_failure_code = 'aborted', last_http_status = null
  from due
  where d.id = due.delivery_id and due.attempt_id is not null
), counted as (
  -- The minute stands in the first 48 bits of the id. The delivery is read as it was before.
  select date_bin('1 minute', to_timestamp(('x' || left(replace(a.id::text, '-', ''), 12))::bit(48)::bigint / 1000.0), 'epoch') as starts_at,
         a.tenant_id, a.subscription_id, d.event_type, a.trigger, a.failure_code, ${hostOf('a.url')} as host,
         1 as attempts, 0 as ended, (a.number = 1 or d.last_failure_code is distinct from 'aborted')::int as entered,
         now() as at, a.delivery_id, null::int as wait, null::int as time
  from aborted a
  join delivery d on d.id = a.delivery_id
), rolled_up as (${countingIn('counted')}
)
select shard, count(*)::int as woken from woken group by shard`
