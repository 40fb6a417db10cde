import type { CanceledReason, DeliveryState, FailureCode, Uuid } from '@posthorn/contract'
import { ask } from '../unavailable.ts'
import { addBeyond, type Beyond, createConditions, likePattern } from './conditions.ts'
import type { Runner } from './statement.ts'

/** Which deliveries. What is undefined does not filter; an empty list lets nothing pass. */
export type DeliveryFilter = {
  tenants?: readonly string[] | undefined
  ids?: readonly Uuid[] | undefined
  subscriptions?: readonly Uuid[] | undefined
  events?: readonly Uuid[] | undefined
  eventTypes?: readonly string[] | undefined
  states?: readonly DeliveryState[] | undefined
  /** The smallest id, and the one before which the filter ends: ids carry the time. */
  from?: Uuid | undefined
  before?: Uuid | undefined
}

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
  in_flight: boolean
  /** Null while an attempt is in flight and when none will follow. */
  next_attempt_at: Date | null
}

/**
 * A page of deliveries with what the backlog knows of them.
 *
 * Locks nothing. One tenant walks `delivery_tenant_id_id_idx`, one subscription `delivery_subscription_id_id_idx`, an
 * event `delivery_event_id_idx`, failures of all tenants `delivery_failed_idx`; partitions outside of the time are not
 * read, and those within are read in the order of ids until the page is full.
 */
export async function listDeliveries(
  runner: Runner,
  filter: DeliveryFilter,
  page: Beyond & { take: number },
): Promise<DeliveryRow[]> {
  const conditions = createConditions()
  conditions.addOneOf('d.tenant_id', 'text', filter.tenants)
  conditions.addOneOf('d.id', 'uuid', filter.ids)
  conditions.addOneOf('d.subscription_id', 'uuid', filter.subscriptions)
  conditions.addOneOf('d.event_id', 'uuid', filter.events)
  if (filter.eventTypes !== undefined) {
    conditions.add(filter.eventTypes.map(likePattern), (patterns) => `d.event_type like any(${patterns}::text[])`)
  }
  if (filter.states !== undefined) conditions.addText(inOneOf(filter.states))
  if (filter.from !== undefined) conditions.add(filter.from, (from) => `d.id >= ${from}::uuid`)
  if (filter.before !== undefined) conditions.add(filter.before, (before) => `d.id < ${before}::uuid`)
  addBeyond(conditions, 'd.id', page)
  const text = `
select d.id, d.tenant_id, d.event_id, d.event_type, d.subscription_id, d.state, d.attempt_count,
       d.last_failure_code, d.last_http_status, d.delivered_at, d.finished_at, d.canceled_reason,
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

/** Two states have a column and a partial index of their own. The words are of a closed list, so they are written out. */
function inOneOf(states: readonly DeliveryState[]): string {
  const [state, ...more] = states
  if (more.length === 0 && (state === 'held' || state === 'failed')) return `d.${state}`
  return `d.state in (${states.map((one) => `'${one}'`).join(', ') || 'null'})`
}
