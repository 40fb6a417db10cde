import type { DeliveryState, FailureCode, ReplayOutcome, ReplaySkipReason, Uuid } from '@posthorn/contract'
import { ask } from '../unavailable.ts'
import { addBeyond, type Beyond, createConditions } from './conditions.ts'
import type { Runner } from './statement.ts'

export type ReplayItemRow = {
  delivery_id: Uuid
  tenant_id: string
  subscription_id: Uuid
  outcome: ReplayOutcome
  skip_reason: ReplaySkipReason | null
  attempt_id: Uuid | null
  failure_code: FailureCode | null
  http_status: number | null
  started_at: Date | null
  finished_at: Date | null
  /** As the delivery is now; null when it is no longer kept. */
  event_id: Uuid | null
  event_type: string | null
  state: DeliveryState | null
}

/** A page of the items of a replay, by the time of their deliveries. Locks nothing; walks the primary key. */
export async function listReplayItems(
  runner: Runner,
  replayId: Uuid,
  outcomes: readonly ReplayOutcome[] | undefined,
  page: Beyond & { take: number },
): Promise<ReplayItemRow[]> {
  const conditions = createConditions()
  conditions.addOneOf('i.replay_id', 'uuid', [replayId])
  conditions.addOneOf('i.outcome', 'text', outcomes)
  addBeyond(conditions, 'i.delivery_id', page)
  const order = page.order === 'asc' ? 'asc' : 'desc'
  const text = `
select i.delivery_id, i.tenant_id, i.subscription_id, i.outcome, i.skip_reason, i.attempt_id, i.failure_code,
       i.http_status, i.started_at, i.finished_at, d.event_id, d.event_type, d.state
from (
  select * from replay_item i ${conditions.text}
  order by i.delivery_id ${order}
  limit ${Math.trunc(page.take)}
) i
left join delivery d on d.id = i.delivery_id
order by i.delivery_id ${order}`
  const result = await ask(() => runner.query<ReplayItemRow>(text, [...conditions.values]))
  return result.rows
}
