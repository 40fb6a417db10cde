import { expect, test } from 'vitest'
import { TimeLimitExceeded, withinTime } from './time-limit.ts'

test('what comes back in time is passed on, and what is thrown too', () => {
  expect(withinTime(1_000, () => [1])).toEqual([1])
  expect(() =>
    withinTime(1_000, () => {
      throw new RangeError('ours')
    }),
  ).toThrow(RangeError)
})

test.each<[string, () => unknown]>([
  ['a loop', () => loop()],
  ['a pattern that backtracks', () => /^(a+)+$/.test(`${'a'.repeat(60)}!`)],
])('%s is ended, and the next one runs', { timeout: 5_000 }, (_what, work) => {
  expect(() => withinTime(50, work)).toThrow(TimeLimitExceeded)
  expect(withinTime(1_000, () => 1)).toBe(1)
})

function loop(): number {
  let turns = 0
  while (turns >= 0) turns += 1
  return turns
}
