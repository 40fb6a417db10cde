/**
 * How fast a subscription may be sent to: a token bucket, as pure functions over a clock that is passed in.
 *
 * In any `t` seconds a bucket gives at most `ratePerSecond × t` tokens and what it held at their beginning, which is
 * `rateBurst` at the most. A full bucket says no more than a new one, so full ones may be forgotten.
 */

/** How many seconds' worth of tokens a bucket holds: enough for the time between two looks of a dispatcher. */
const rateBurstSeconds = 0.25

/** The tokens of one subscription at a moment. Below zero after its rate was lowered: the debt is paid off first. */
export type TokenBucket = { readonly ratePerSecond: number; readonly tokens: number; readonly atMs: number }

/** What may be sent at once after a rest: a quarter of a second's worth, and one at least. */
export function rateBurst(ratePerSecond: number): number {
  return Math.max(1, ratePerSecond * rateBurstSeconds)
}

/** @param nowMs milliseconds of a clock that never jumps, as in all functions here */
export function fullBucket(ratePerSecond: number, nowMs: number): TokenBucket {
  return { ratePerSecond, tokens: rateBurst(ratePerSecond), atMs: nowMs }
}

/** The bucket as it is now. A clock that stands still or goes back gives nothing and takes nothing. */
export function refilled(bucket: TokenBucket, nowMs: number): TokenBucket {
  const passedMs = Math.max(0, nowMs - bucket.atMs)
  const tokens = bucket.tokens + (passedMs * bucket.ratePerSecond) / 1000
  return { ...bucket, tokens: Math.min(rateBurst(bucket.ratePerSecond), tokens), atMs: bucket.atMs + passedMs }
}

/** How many attempts may begin now. */
export function allowance(bucket: TokenBucket, nowMs: number): number {
  return Math.max(0, Math.floor(refilled(bucket, nowMs).tokens))
}

/** The bucket after `count` attempts have begun. */
export function spent(bucket: TokenBucket, count: number, nowMs: number): TokenBucket {
  const now = refilled(bucket, nowMs)
  return { ...now, tokens: now.tokens - count }
}

/** The bucket under another rate, from now on. */
export function atRate(bucket: TokenBucket, ratePerSecond: number, nowMs: number): TokenBucket {
  if (bucket.ratePerSecond === ratePerSecond) return bucket
  return refilled({ ...refilled(bucket, nowMs), ratePerSecond }, nowMs)
}

export function isFull(bucket: TokenBucket, nowMs: number): boolean {
  return refilled(bucket, nowMs).tokens >= rateBurst(bucket.ratePerSecond)
}

/** Milliseconds until one attempt may begin; 0 when it may now. */
export function msUntilAllowed(bucket: TokenBucket, nowMs: number): number {
  const missing = 1 - refilled(bucket, nowMs).tokens
  return missing <= 0 ? 0 : Math.ceil((missing * 1000) / bucket.ratePerSecond)
}
