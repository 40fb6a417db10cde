import type { CanceledReason, DeliveryState, FailureCode, Uuid } from '@posthorn/contract'
import { ask } from '../unavailable.ts'
import { addBeyond, type Beyond, createConditions } from './conditions.ts'
import { addDeliveryFilter, type DeliveryFilter } from './filter-conditions.ts'
import type { Runner } from './statement.ts'

export type DeliveryRow = {
  id: Uuid
  tenant_id: string
  event_id: Uuid
  event_type: string
  subscription_id: Uuid
  state: DeliveryState
  attempt_count: number
  last_failure_code: FailureCode | null
  last_http_status: number | null
  delivered_at: Date | null
  finished_at: Date | null
  canceled_reason: CanceledReason | null
  erased_at: Date | null
  in_flight: boolean
  /** Null while an attempt is in flight and when none will follow. */
  next_attempt_at: Date | null
}

/**
 * A page of deliveries with what the backlog knows of them.
 *
 * Locks nothing. One tenant walks `delivery_tenant_id_id_idx`, one subscription `delivery_subscription_id_id_idx`, an
 * event `delivery_event_id_idx` (also those that a business key leads to, by `event_key`), failures of all tenants `delivery_failed_idx`; partitions outside of the time are not
 * read, and those within are read in the order of ids until the page is full.
 */
export async function listDeliveries(
  runner: Runner,
  filter: DeliveryFilter,
  page: Beyond & { take: number },
): Promise<DeliveryRow[]> {
  const conditions = createConditions()
  addDeliveryFilter(conditions, filter)
  addBeyond(conditions, 'd.id', page)
  const text = `
select d.id, d.tenant_id, d.event_id, d.event_type, d.subscription_id, d.state, d.attempt_count,
       d.last_failure_code, d.last_http_status, d.delivered_at, d.finished_at, d.canceled_reason,
       d.erased_at,
       b.leased_at is not null as in_flight,
       case when b.leased_at is null then b.next_attempt_at end as next_attempt_at
from (
  select * from delivery d ${conditions.text}
  order by d.id ${page.order === 'asc' ? 'asc' : 'desc'}
  limit ${Math.trunc(page.take)}
) d
left join backlog b on b.delivery_id = d.id
order by d.id ${page.order === 'asc' ? 'asc' : 'desc'}`
  const result = await ask(() => runner.query<DeliveryRow>(text, [...conditions.values]))
  return result.rows
}
