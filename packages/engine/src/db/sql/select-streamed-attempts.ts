import type { AttemptTrigger, DeliveryState, FailureCode, Uuid } from '@posthorn/contract'
import { type Runner, run } from './statement.ts'

/** An attempt as the stream tells it. */
export type StreamedRow = {
  id: Uuid
  tenant_id: string
  delivery_id: Uuid
  event_id: Uuid
  subscription_id: Uuid
  event_type: string
  state: DeliveryState
  number: number
  trigger: AttemptTrigger
  failure_code: FailureCode | null
  http_status: number | null
  ended_at: Date
}

const columns = `a.id, a.tenant_id, a.delivery_id, a.event_id, a.subscription_id, d.event_type, d.state, a.number, a.trigger,
  a.failure_code, a.http_status, a.started_at + a.total_ms * interval '1 millisecond' as ended_at`

/** These attempts, whosever they are, with the states of their deliveries. Locks nothing; walks two primary keys. */
export function selectStreamedAttempts(runner: Runner, ids: readonly Uuid[]): Promise<StreamedRow[]> {
  return run<StreamedRow>(runner, {
    name: 'select-streamed-attempts',
    text: `
select ${columns}
from unnest($1::uuid[]) with ordinality as asked (id, place)
join attempt a on a.id = asked.id
join delivery d on d.id = a.delivery_id
order by asked.place`,
    values: [ids],
  })
}

/**
 * Attempts that were begun from an id on and ended from a time on, of one tenant unless it is null; and how many were
 * looked at, of all tenants, at most `scannedMax`.
 *
 * Locks nothing; walks the primary keys of the partitions from that id on.
 */
export async function selectAttemptsSince(
  runner: Runner,
  asked: { tenantId: string | null; from: Uuid; endedFrom: Date; scannedMax: number },
): Promise<{ scanned: number; rows: StreamedRow[] }> {
  const rows = await run<StreamedRow & { scanned: number }>(runner, {
    name: 'select-attempts-since',
    text: `
with scanned as materialized (
  select id, tenant_id, delivery_id, event_id, subscription_id, number, trigger, failure_code, http_status, started_at, total_ms
  from attempt
  where id >= $2
  order by id
  limit $4
), found as (
  select ${columns}
  from scanned a
  join delivery d on d.id = a.delivery_id
  where ($1::text is null or a.tenant_id = $1) and a.started_at + a.total_ms * interval '1 millisecond' >= $3
)
select (select count(*)::int from scanned) as scanned, found.*
from (select 1) always
left join found on true
order by ended_at, id`,
    values: [asked.tenantId, asked.from, asked.endedFrom, asked.scannedMax],
  })
  return { scanned: rows[0]?.scanned ?? 0, rows: rows.filter((row) => row.id !== null) }
}

/** When an attempt ended, if it is there, within a tenant unless that is null. Locks nothing; walks a primary key. */
export async function selectAttemptEnd(runner: Runner, tenantId: string | null, id: Uuid): Promise<Date | undefined> {
  const rows = await run<{ ended_at: Date }>(runner, {
    name: 'select-attempt-end',
    text: `
select started_at + total_ms * interval '1 millisecond' as ended_at
from attempt
where ($1::text is null or tenant_id = $1) and id = $2`,
    values: [tenantId, id],
  })
  return rows[0]?.ended_at
}
