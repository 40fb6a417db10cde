import { expect, test } from 'vitest'
import { aboutDuration, bytesInWords, counted, durationInWords, listInWords, roundedDuration } from './words.ts'

test.each([
  [0, '0 seconds'],
  [1, '1 second'],
  [90, '1 minute 30 seconds'],
  [7_200, '2 hours'],
  [1.5, '1.5 seconds'],
  [0.25, '0.25 seconds'],
  [60.001, '1 minute 0.001 seconds'],
  [93_784, '1 day 2 hours 3 minutes 4 seconds'],
  [432_000, '5 days'],
])('%d seconds are told as %s', (seconds, words) => {
  expect(durationInWords(seconds)).toBe(words)
})

test.each([
  [272_105, '3 days 4 hours', '3 days 4 hours'],
  [9_305, '2 hours 35 minutes', '2 hours 36 minutes'],
  [3_599, '59 minutes 59 seconds', '59 minutes 59 seconds'],
  [86_399, '1 day', '1 day'],
  [59.5, '59.5 seconds', '59.5 seconds'],
  [0.2, '0.2 seconds', '0.2 seconds'],
])('%d seconds are about %s, and %s is enough to wait', (seconds, nearest, up) => {
  expect([roundedDuration(seconds), roundedDuration(seconds, 'up')]).toEqual([nearest, up])
})

test('a time that is rounded is said to be', () => {
  expect([7_200, 272_105].map(aboutDuration)).toEqual(['2 hours', 'about 3 days 4 hours'])
})

test('one of a thing is not many', () => {
  expect([counted(1, 'attempt'), counted(1_200, 'attempt')]).toEqual(['1 attempt', '1,200 attempts'])
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
