import type { DisabledReason, FailureCode, Uuid } from '@posthorn/contract'
import { type Runner, run } from './statement.ts'

export type SystemEventRow = {
  id: Uuid
  tenant_id: string
  subscription_id: Uuid
  /** Null once the subscription is gone with its tenant. */
  url: string | null
  happened_at: Date
} & Told

/** What each type tells beside that, as the statements write it that write the rows. */
type Told =
  | {
      type: 'posthorn.subscription.failing'
      facts: { failing_since: string; percent: number; disable_at: string }
    }
  | {
      type: 'posthorn.subscription.disabled'
      facts: { reason: DisabledReason; failing_since: string | null }
    }
  | { type: 'posthorn.subscription.recovered'; facts: { failing_since: string | null } }
  | {
      type: 'posthorn.delivery.exhausted'
      delivery_id: Uuid
      event_type: string | null
      facts: { event_id: Uuid; attempt_count: number; failure_code: FailureCode; http_status: number | null }
    }

/**
 * Takes the oldest of what is to be told, so that nobody else does before `leaseMs` are over: should whoever took them
 * die, they are taken again then.
 *
 * Locks the rows and skips locked ones, so two callers share them; walks `system_event_happened_at_idx`, past those that
 * are taken.
 */
export function takeSystemEvents(runner: Runner, rowsMax: number, leaseMs: number): Promise<SystemEventRow[]> {
  return run<SystemEventRow>(runner, { name: 'take-system-events', text, values: [rowsMax, leaseMs] })
}

const text = `
with oldest as materialized (
  select id
  from system_event
  where taken_until is null or taken_until <= now()
  order by happened_at
  limit $1::int
  for update skip locked
), taken as (
  update system_event e
  set taken_until = now() + $2::int * interval '1 millisecond'
  from oldest
  where e.id = oldest.id
  returning e.*
)
select t.id, t.type, t.tenant_id, t.subscription_id, s.url, t.delivery_id, t.happened_at, t.facts,
       (select d.event_type from delivery d where d.id = t.delivery_id) as event_type
from taken t
left join subscription s on s.id = t.subscription_id
order by t.happened_at`
