import { expect, test } from 'vitest'
import { readDocument } from './documents.ts'
import { limitsHeader, limitsRows, markdownRow, settingsHeader, settingsRows, tablesOf } from './tables.ts'

const document = readDocument('docs/configuration.md')

test('docs/configuration.md names every setting with its default and its help, and no others', () => {
  const { serve, demo } = settingsRows()
  const [shown, shownForDemo, ...others] = tablesOf(document, settingsHeader)
  expect(shown, expected(serve)).toEqual(serve)
  expect(shownForDemo, expected(demo)).toEqual(demo)
  expect(others).toEqual([])
})

test('docs/configuration.md names every limit of the API with its value, and no others', () => {
  const rows = limitsRows()
  const [shown, ...others] = tablesOf(document, limitsHeader)
  expect(
    shown?.map((cells) => cells.slice(0, 2)),
    expected(rows),
  ).toEqual(rows)
  expect(others).toEqual([])
})

function expected(rows: readonly (readonly string[])[]): string {
  return `docs/configuration.md should have\n${rows.map(markdownRow).join('\n')}\n`
}
