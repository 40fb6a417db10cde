/**
 * The one place that makes SQL of the filter grammar. What is undefined does not filter; an empty list lets nothing pass.
 */
import type { AttemptTrigger, DeliveryState, FailureCode, Uuid } from '@posthorn/contract'
import { type Conditions, likePattern } from './conditions.ts'

/** From one status to another, both included. */
export type HttpStatuses = { from: number; to: number }

/** Which events. */
export type EventFilter = {
  tenants?: readonly string[] | undefined
  /** Patterns. */
  eventTypes?: readonly string[] | undefined
  /** Business keys: of each one of the values. */
  keys?: readonly { name: string; values: readonly string[] }[] | undefined
  /** The smallest id, and the one before which the filter ends: ids carry the time. */
  from?: Uuid | undefined
  before?: Uuid | undefined
}

/** Which deliveries. */
export type DeliveryFilter = EventFilter & {
  /** The only tenant whose replays the caller may see; its `tenants` say the same of deliveries. */
  within?: string | undefined
  ids?: readonly Uuid[] | undefined
  subscriptions?: readonly Uuid[] | undefined
  events?: readonly Uuid[] | undefined
  states?: readonly DeliveryState[] | undefined
  /** Of the last attempt. */
  failureCodes?: readonly FailureCode[] | undefined
  httpStatuses?: readonly HttpStatuses[] | undefined
  /** Has an attempt made for one of these reasons. */
  triggers?: readonly AttemptTrigger[] | undefined
  /** Is part of one of these replays. */
  replays?: readonly Uuid[] | undefined
}

/** Conditions on a table `event e`. */
export function addEventFilter(conditions: Conditions, filter: EventFilter): void {
  conditions.addOneOf('e.tenant_id', 'text', filter.tenants)
  addEventTypes(conditions, 'e.type', filter)
  addKeys(conditions, { tenant: 'e.tenant_id', event: 'e.id' }, filter)
  addTime(conditions, 'e.id', filter)
}

/** Conditions on a table `delivery d`. */
export function addDeliveryFilter(conditions: Conditions, filter: DeliveryFilter): void {
  conditions.addOneOf('d.tenant_id', 'text', filter.tenants)
  conditions.addOneOf('d.id', 'uuid', filter.ids)
  conditions.addOneOf('d.subscription_id', 'uuid', filter.subscriptions)
  conditions.addOneOf('d.event_id', 'uuid', filter.events)
  addEventTypes(conditions, 'd.event_type', filter)
  if (filter.states !== undefined) conditions.addText(inOneOf(filter.states))
  conditions.addOneOf('d.last_failure_code', 'text', filter.failureCodes)
  if (filter.httpStatuses !== undefined) {
    const { httpStatuses } = filter
    conditions.add(
      httpStatuses.map(({ from, to }) => `[${from},${to}]`),
      (ranges) => `d.last_http_status::int <@ any(${ranges}::int4range[])`,
    )
  }
  if (filter.triggers !== undefined) {
    conditions.add(
      [...filter.triggers],
      (triggers) =>
        `exists (select 1 from attempt a where a.delivery_id = d.id and a.trigger = any(${triggers}::text[]))`,
    )
  }
  if (filter.replays !== undefined) {
    const { within } = filter
    conditions.add([...filter.replays], (replays) => {
      const parts = `select 1 from replay_item i where i.delivery_id = d.id and i.replay_id = any(${replays}::uuid[])`
      if (within === undefined) return `exists (${parts})`
      // A tenant sees its own replays; one that the operator made of its deliveries is not its to find.
      return `exists (${parts} and exists (select 1 from replay r where r.id = i.replay_id and r.tenant_id = d.tenant_id))`
    })
  }
  addKeys(conditions, { tenant: 'd.tenant_id', event: 'd.event_id' }, filter)
  addTime(conditions, 'd.id', filter)
}

function addEventTypes(conditions: Conditions, column: string, { eventTypes }: EventFilter): void {
  if (eventTypes === undefined || eventTypes.includes('*')) return
  conditions.add(eventTypes.map(likePattern), (patterns) => `${column} like any(${patterns}::text[])`)
}

/**
 * An event has one value of a name, so no event is found twice. The planner starts at the key where few events have it,
 * and otherwise walks the list in its order and looks each row's key up: `event_key`'s primary key serves both.
 */
function addKeys(conditions: Conditions, columns: { tenant: string; event: string }, { keys, tenants }: EventFilter) {
  for (const { name, values } of keys ?? []) {
    const of = conditions.placeholder(name)
    const one = conditions.placeholder([...values])
    const within =
      tenants === undefined ? '' : ` and k.tenant_id = any(${conditions.placeholder([...tenants])}::text[])`
    conditions.addText(
      `exists (select 1 from event_key k where k.value = any(${one}::text[]) and k.tenant_id = ${columns.tenant}${within} ` +
        `and k.name = ${of}::text and k.event_id = ${columns.event})`,
    )
  }
}

function addTime(conditions: Conditions, column: string, { from, before }: EventFilter): void {
  if (from !== undefined) conditions.add(from, (id) => `${column} >= ${id}::uuid`)
  if (before !== undefined) conditions.add(before, (id) => `${column} < ${id}::uuid`)
}

/** Two states have a column and a partial index of their own. The words are of a closed list, so they are written out. */
function inOneOf(states: readonly DeliveryState[]): string {
  const [state, ...more] = states
  if (more.length === 0 && (state === 'held' || state === 'failed')) return `d.${state}`
  return `d.state in (${states.map((one) => `'${one}'`).join(', ') || 'null'})`
}
