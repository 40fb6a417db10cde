import type { Uuid } from '@posthorn/contract'
import { type Runner, run } from './statement.ts'

export type OutboxRow = {
  id: Uuid
  tenant_id: string
  type: string
  /** The exact JSON text. */
  data: string
  publish_id: string | null
  timestamp: Date
  keys: unknown
  headers: unknown
  subscriptions: string[] | null
  traceparent: string | null
  tries: number
}

/**
 * The first of what waits in the outbox, in the order in which it was written: up to `rowsMax`, and no more than
 * `bytesMax` of data and headers, but one at least.
 *
 * Locks nothing: whoever calls holds the lock of lock-outbox.ts. Walks `outbox_event_waiting_idx` from its beginning.
 */
export function takeOutboxEvents(runner: Runner, rowsMax: number, bytesMax: number): Promise<OutboxRow[]> {
  return run<OutboxRow>(runner, { name: 'take-outbox-events', text, values: [rowsMax, bytesMax] })
}

const text = `
with first as (
  select *
  from outbox_event
  where refused_at is null and (not_before is null or not_before <= now())
  order by place
  limit $1::int
), weighed as (
  select *, sum(octet_length(data::text) + coalesce(octet_length(headers::text), 0)) over (order by place) as bytes, row_number() over (order by place) as number
  from first
)
select id, tenant_id, type, data::text as data, publish_id, "timestamp", keys, headers, subscriptions, traceparent, tries
from weighed
where bytes <= $2::int or number = 1
order by place`
