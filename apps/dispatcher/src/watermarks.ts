/**
 * How far the deliveries of each subscription have been claimed, in the order in which they became due, so that the next
 * claim begins there. Without that it would pass everything that was claimed before and could not be cleaned up yet; while
 * somebody holds a transaction open that is everything since (see claim-deliveries.ts).
 *
 * A watermark is knowledge, not a promise. What is woken behind it takes it back to there. What becomes due behind it
 * otherwise (an event that was committed late, anything after the database's clock was set back) is found by a claim of
 * everything, which each subscription has every few seconds; its watermark then goes back to there.
 */
import type { Uuid } from '@posthorn/contract'

/**
 * A claim begins so much before the last delivery that was claimed, in milliseconds: what was stored by transactions that
 * overtook each other is not in the order of its time.
 */
const overlapMs = 5_000
/** Everything of a subscription is claimed from at least so often, in milliseconds. */
const wholeEveryMs = 5_000
/** Subscriptions whose watermark is kept; the others are claimed from as a whole. */
const watermarksMax = 4_096

export type Watermarks = {
  /** Where its next claim may begin; null when it is to be claimed from as a whole. The claim is made now. */
  of(subscriptionId: Uuid, nowMs: number): Date | null
  /** A claim that began at `dueFrom` came to `lastDueAt`, or found nothing. */
  claimed(
    offer: { shard: number; subscriptionId: Uuid; dueFrom: Date | null },
    lastDueAt: Date | undefined,
    nowMs: number,
  ): void
  /** Deliveries of a shard were made due, the oldest of them since then. */
  woken(shard: number, dueFrom: Date): void
}

type Watermark = {
  shard: number
  dueFrom: Date
  wholeAtMs: number
  /** Since when what was woken during the last claim has been due: the claim may not have seen it. */
  wokenFrom: Date | undefined
}

export function createWatermarks(): Watermarks {
  /** The one that was used last is last. */
  const marks = new Map<Uuid, Watermark>()
  return {
    of(subscriptionId, nowMs) {
      const mark = marks.get(subscriptionId)
      if (mark === undefined) return null
      mark.wokenFrom = undefined
      return nowMs - mark.wholeAtMs >= wholeEveryMs ? null : mark.dueFrom
    },
    claimed({ shard, subscriptionId, dueFrom }, lastDueAt, nowMs) {
      const before = marks.get(subscriptionId)
      const wholeAtMs = dueFrom === null ? nowMs : before?.wholeAtMs
      const next = lastDueAt === undefined ? before?.dueFrom : new Date(lastDueAt.getTime() - overlapMs)
      if (wholeAtMs === undefined || next === undefined) return
      marks.delete(subscriptionId)
      marks.set(subscriptionId, { shard, dueFrom: earlier(next, before?.wokenFrom), wholeAtMs, wokenFrom: undefined })
      const [oldest] = marks.keys()
      if (marks.size > watermarksMax && oldest !== undefined) marks.delete(oldest)
    },
    woken(shard, dueFrom) {
      for (const mark of marks.values()) {
        if (mark.shard !== shard) continue
        mark.dueFrom = earlier(mark.dueFrom, dueFrom)
        mark.wokenFrom = earlier(dueFrom, mark.wokenFrom)
      }
    },
  }
}

function earlier(one: Date, other: Date | undefined): Date {
  return other !== undefined && other < one ? other : one
}
