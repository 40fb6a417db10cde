/**
 * The token buckets of the subscriptions with a rate limit that were sent to a moment ago. The others are rested: their
 * buckets are full, and a full one need not be kept.
 *
 * A limit holds for the whole installation because one dispatcher owns a shard. A new owner begins with full buckets, so
 * each change of owner may add one burst (a quarter of a second's worth).
 */
import type { Uuid } from '@posthorn/contract'
import { allowance, atRate, fullBucket, isFull, msUntilAllowed, spent, type TokenBucket } from '@posthorn/engine'

export type RateLimits = {
  /** How many attempts of each may begin now. Who is not named is rested. */
  allowed(nowMs: number): ReadonlyMap<Uuid, number>
  /** Says under which rate (null: none) so many attempts of a subscription have begun. */
  began(subscriptionId: Uuid, ratePerSecond: number | null, count: number, nowMs: number): void
  /** Milliseconds until the first of these may begin another attempt; infinite when there is none. */
  msUntilNext(subscriptionIds: Iterable<Uuid>, nowMs: number): number
}

export function createRateLimits(): RateLimits {
  const buckets = new Map<Uuid, TokenBucket>()
  return {
    allowed(nowMs) {
      for (const [id, bucket] of buckets) if (isFull(bucket, nowMs)) buckets.delete(id)
      return new Map([...buckets].map(([id, bucket]) => [id, allowance(bucket, nowMs)]))
    },
    began(subscriptionId, ratePerSecond, count, nowMs) {
      const bucket = buckets.get(subscriptionId)
      if (ratePerSecond === null) buckets.delete(subscriptionId)
      else if (bucket !== undefined || count > 0) {
        const before = bucket === undefined ? fullBucket(ratePerSecond, nowMs) : atRate(bucket, ratePerSecond, nowMs)
        buckets.set(subscriptionId, spent(before, count, nowMs))
      }
    },
    msUntilNext(subscriptionIds, nowMs) {
      let soonestMs = Number.POSITIVE_INFINITY
      for (const id of subscriptionIds) {
        const bucket = buckets.get(id)
        if (bucket !== undefined) soonestMs = Math.min(soonestMs, msUntilAllowed(bucket, nowMs))
      }
      return soonestMs
    },
  }
}
