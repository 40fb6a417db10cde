import { expect, test } from 'vitest'
import { type Figure, rowsOf } from './row.ts'
import { table } from './table.ts'

const goal = { of: 'ratio', is: '>=', limit: 0.6 } as const

function run(value: number, ceiling: number, quiet = true) {
  const figures: Figure[] = [{ name: 'drain', value, ceiling, unit: 'deliveries/s', goal }]
  return { figures, quiet }
}

test('a row is the median of its runs, and each ratio is of the ceiling of the same run', () => {
  const rows = rowsOf([run(500, 1000), run(900, 1000), run(700, 2000)])
  expect(rows).toEqual([
    {
      name: 'drain',
      value: 700,
      unit: 'deliveries/s',
      ceiling: 1000,
      ratio: 0.5,
      goal: 'ratio >= 0.6',
      met: false,
      runs: [500, 900, 700],
      quiet: true,
    },
  ])
})

test('one run on a busy machine marks the row, and the table says so', () => {
  const rows = rowsOf([run(700, 1000), run(650, 1000, false)])
  expect(rows[0]).toMatchObject({ quiet: false, met: true, value: 675 })
  expect(table(rows)).toMatch(/drain +675 \(650–700\) +deliveries\/s +1000 +0\.68 +ratio >= 0\.6 +met, busy machine$/)
})

test('a goal of the value is judged without a ceiling', () => {
  const atMost = { of: 'value', is: '<=', limit: 10 } as const
  const rows = rowsOf([{ quiet: true, figures: [{ name: 'p50', value: 10.04, unit: 'ms', goal: atMost }] }])
  expect(rows[0]).toMatchObject({ value: 10, ceiling: null, ratio: null, met: true, goal: 'value <= 10' })
})
