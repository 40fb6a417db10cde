import { expect, test } from 'vitest'
import { bytesInWords, durationInWords, listInWords } from './words.ts'

test.each([
  [0, '0 seconds'],
  [1, '1 second'],
  [90, '1 minute 30 seconds'],
  [7_200, '2 hours'],
  [93_784, '1 day 2 hours'],
  [432_000, '5 days'],
])('%d seconds are told as %s', (seconds, words) => {
  expect(durationInWords(seconds)).toBe(words)
})

test('sizes are told in the largest unit that is exact', () => {
  expect([262_144, 5_242_880, 1_000, 1_536].map(bytesInWords)).toEqual([
    '256 KiB',
    '5 MiB',
    '1,000 bytes',
    '1,536 bytes',
  ])
})

test('lists end with “and”', () => {
  expect([[], ['a'], ['a', 'b'], ['a', 'b', 'c']].map(listInWords)).toEqual(['', 'a', 'a and b', 'a, b and c'])
})
