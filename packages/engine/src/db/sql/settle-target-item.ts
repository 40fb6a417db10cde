import type { FailureCode, Uuid } from '@posthorn/contract'
import { type Runner, run } from './statement.ts'

export type TargetOutcome = {
  replayId: Uuid
  deliveryId: Uuid
  attemptId: Uuid
  /** `waiting` for one that was broken off, to be sent by somebody else. */
  outcome: 'delivered' | 'failed' | 'waiting'
  failureCode: FailureCode | null
  status: number | null
}

/**
 * Writes down what came of an item that was sent to another URL. Nothing else knows of it: no attempt is stored, because
 * the delivery had none.
 *
 * Fenced by the attempt id, so whoever was too slow changes nothing. Locks the item by primary key.
 */
export async function settleTargetItem(runner: Runner, settled: TargetOutcome): Promise<void> {
  await run(runner, {
    name: 'settle-target-item',
    text,
    values: [
      settled.replayId,
      settled.deliveryId,
      settled.attemptId,
      settled.outcome,
      settled.failureCode,
      settled.status,
    ],
  })
}

const text = `
update replay_item
set outcome = case when $4::text = 'waiting' and (select state from replay where id = $1) = 'canceled' then 'canceled' else $4::text end,
    attempt_id = null,
    failure_code = case when $4::text = 'failed' then $5::text end,
    http_status = case when $4::text <> 'waiting' then $6::smallint end,
    started_at = case when $4::text <> 'waiting' then started_at end,
    finished_at = case when $4::text <> 'waiting' or (select state from replay where id = $1) = 'canceled' then now() end
where replay_id = $1 and delivery_id = $2 and attempt_id = $3 and outcome = 'under_way'`
