import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  allowance,
  atRate,
  fullBucket,
  isFull,
  msUntilAllowed,
  rateBurst,
  refilled,
  spent,
  type TokenBucket,
} from './rate-limit.ts'

const rates = fc.integer({ min: 1, max: 10_000 })
/** Milliseconds that pass, and how many attempts are wanted then. */
const visits = fc.array(
  fc.record({ passedMs: fc.double({ min: 0, max: 5_000, noNaN: true }), wanted: fc.nat(5_000) }),
  {
    minLength: 1,
    maxLength: 50,
  },
)

test('in whatever stretch of time, no more attempts begin than the rate allows and one burst', () => {
  fc.assert(
    fc.property(rates, visits, (rate, moments) => {
      const begun = play(fullBucket(rate, 0), moments)
      for (const [from, first] of begun.entries()) {
        let count = 0
        for (const { atMs, taken } of begun.slice(from)) {
          count += taken
          // A millionth for the arithmetic of doubles.
          expect(count).toBeLessThanOrEqual((rate * (atMs - first.atMs)) / 1000 + rateBurst(rate) + 1e-6)
        }
      }
    }),
  )
})

test('whoever comes back when it is told to gets all that the rate gives', () => {
  fc.assert(
    fc.property(rates, (rate) => {
      let bucket = fullBucket(rate, 0)
      let nowMs = 0
      let begun = 0
      const looks = 300
      for (let look = 0; look < looks; look += 1) {
        const count = allowance(bucket, nowMs)
        begun += count
        bucket = spent(bucket, count, nowMs)
        nowMs += msUntilAllowed(bucket, nowMs)
      }
      // Waits are whole milliseconds, so each look may come up to one millisecond late, and the last wait brought nothing yet.
      expect(begun).toBeGreaterThanOrEqual(((nowMs - looks) * rate) / 1000 - 1)
      expect(begun).toBeGreaterThanOrEqual(looks)
    }),
  )
})

test('the time until the next attempt is neither too long nor too short', () => {
  fc.assert(
    fc.property(rates, visits, (rate, moments) => {
      let bucket = fullBucket(rate, 0)
      let nowMs = 0
      for (const { passedMs, wanted } of moments) {
        nowMs += passedMs
        bucket = spent(bucket, Math.min(wanted, allowance(bucket, nowMs)), nowMs)
        const waitMs = msUntilAllowed(bucket, nowMs)
        if (waitMs === 0) expect(allowance(bucket, nowMs)).toBeGreaterThanOrEqual(1)
        else {
          expect(allowance(bucket, nowMs)).toBe(0)
          expect(refilled(bucket, nowMs + waitMs).tokens).toBeGreaterThan(1 - 1e-6)
        }
      }
    }),
  )
})

test('one a second: the first at once, the next a second later, and a long rest saves up one', () => {
  let bucket = fullBucket(1, 1_000)
  expect(allowance(bucket, 1_000)).toBe(1)
  bucket = spent(bucket, 1, 1_000)
  expect(msUntilAllowed(bucket, 1_000)).toBe(1_000)
  expect(allowance(bucket, 1_999)).toBe(0)
  expect(allowance(bucket, 2_000)).toBe(1)
  expect(allowance(bucket, 3_600_000)).toBe(1)
})

test('a hundred a second give a quarter of a second at once', () => {
  const bucket = fullBucket(100, 0)
  expect(allowance(bucket, 0)).toBe(25)
  expect(allowance(spent(bucket, 25, 0), 100)).toBe(10)
})

test('a full bucket says no more than a new one', () => {
  const used = spent(fullBucket(100, 0), 25, 0)
  expect(isFull(used, 240)).toBe(false)
  expect(isFull(used, 250)).toBe(true)
  expect(refilled(used, 9_000)).toEqual(fullBucket(100, 9_000))
})

test('a rate that is lowered holds from the next attempt on, and one that is raised fills faster', () => {
  const quick = spent(fullBucket(1_000, 0), 0, 0)
  expect(allowance(atRate(quick, 4, 0), 0)).toBe(1)
  const slow = spent(fullBucket(1, 0), 1, 0)
  expect(allowance(slow, 500)).toBe(0)
  expect(allowance(atRate(slow, 100, 0), 500)).toBe(25)
  // What began under the old rate is a debt under the new one.
  expect(msUntilAllowed(spent(atRate(quick, 4, 0), 3, 0), 0)).toBe(750)
})

test('a clock that goes back gives nothing and takes nothing', () => {
  const bucket = spent(fullBucket(10, 1_000), 2, 1_000)
  expect(refilled(bucket, 0)).toEqual(bucket)
})

function play(bucket: TokenBucket, moments: readonly { passedMs: number; wanted: number }[]) {
  let now = bucket
  let nowMs = 0
  return moments.map(({ passedMs, wanted }) => {
    nowMs += passedMs
    const taken = Math.min(wanted, allowance(now, nowMs))
    now = spent(now, taken, nowMs)
    return { atMs: nowMs, taken }
  })
}
