import { expect, test } from 'vitest'
import { type FaultRow, failuresOf } from './fault.ts'
import { table } from './table.ts'

const good: FaultRow = {
  fault: 'kill -9',
  published: 1000,
  delivered: 1000,
  lost: 0,
  duplicated: 3,
  duplicatesAllowed: 8,
  recoveredMs: 2_949,
  notes: ['8 in flight'],
  wrong: [],
}

test('a row says what was lost, what came twice of how much that may, and how long it took', () => {
  const lines = table([good, { ...good, fault: 'SIGTERM', duplicated: 0, duplicatesAllowed: 0, recoveredMs: null }])
  expect(lines.split('\n')).toEqual([
    'fault    published  delivered  lost  duplicated  time to recover',
    'kill -9       1000       1000     0    3 of ≤ 8            2.9 s  8 in flight',
    'SIGTERM       1000       1000     0           0                –  8 in flight',
  ])
  expect(failuresOf(good)).toEqual([])
})

test('a lost event, a duplicate too many and anything else that is wrong makes a row fail', () => {
  const bad = [
    { ...good, delivered: 999, lost: 1 },
    { ...good, duplicated: 9 },
    { ...good, wrong: ['the exit code was 1'] },
  ]
  expect(bad.map(failuresOf)).toEqual([
    ['1 acknowledged events never came'],
    ['9 duplicates, and 8 are allowed'],
    ['the exit code was 1'],
  ])
  expect(table(bad).match(/FAILED; 8 in flight/g)).toHaveLength(3)
})
