/**
 * Sends the items of replays to another URL. They are few at a time, hold no slot, and are recorded in their items alone:
 * nothing that a staging receiver does can touch a delivery, or the health of a subscription.
 */
import type { Uuid } from '@posthorn/contract'
import { type Claim, type Database, settleTargetItem, takeTargetItems, targetClaim } from '@posthorn/engine'
import { type DeliveringParts, makeAttempt } from './delivering.ts'

/** Requests of one replay in flight at once. */
const underWayMax = 10
/** Longer than any time-out, with what comes before and behind the request: whoever has not settled by then is gone, in seconds. */
const lostAfterSeconds = 90

export type ReplayTargets = {
  /** Sends what may be sent now, and answers how many. */
  feed(replayId: Uuid): Promise<number>
  /** Resolves when nothing is under way here any more. */
  idle(): Promise<void>
}

export function createReplayTargets(
  parts: DeliveringParts & { db: Database; newId(): Uuid },
  breakOff: AbortSignal,
): ReplayTargets {
  const underWay = new Set<Promise<void>>()

  async function send(replayId: Uuid, claim: Claim): Promise<void> {
    const { outcome } = await makeAttempt(parts, claim, parts.world.now(), breakOff)
    const { failureCode, status } = outcome
    const came = failureCode === null ? 'delivered' : failureCode === 'aborted' ? 'waiting' : 'failed'
    const item = { replayId, deliveryId: claim.deliveryId, attemptId: claim.attemptId }
    await settleTargetItem(parts.db.pool, { ...item, outcome: came, failureCode, status })
  }

  return {
    async feed(replayId) {
      const attemptIds = Array.from({ length: underWayMax }, () => parts.newId())
      const items = await takeTargetItems(parts.db.pool, replayId, { attemptIds, lostAfterSeconds })
      for (const item of items) {
        const sending = send(replayId, targetClaim(item))
          // Unsettled, so it is taken again.
          .catch((error: unknown) => parts.telemetry({ what: 'delivery_fault', deliveryId: item.delivery_id, error }))
          .finally(() => underWay.delete(sending))
        underWay.add(sending)
      }
      return items.length
    },
    async idle() {
      await Promise.all(underWay)
    },
  }
}
