import { expect, test } from 'vitest'
import { catalogOf } from '../house/catalog.ts'
import { readCheckout, readDocument } from './documents.ts'
import { codeIn } from './markdown.ts'

const page = 'docs/decisions/0014-dependencies.md'

test(`${page} says what every dependency is for, and names no others`, () => {
  const catalog = catalogOf(readCheckout().get('pnpm-workspace.yaml') ?? '').map(({ name }) => name)
  const named = readDocument(page).tables.flatMap(({ rows }) => rows.flatMap(({ cells }) => codeIn(cells[0] ?? '')))
  const isNamed = (name: string) =>
    named.some((each) => (each.endsWith('…') ? name.startsWith(each.slice(0, -1)) : name === each))
  expect(catalog.filter((name) => !isNamed(name))).toEqual([])
  expect(named.filter((name) => !name.endsWith('…') && !catalog.includes(name))).toEqual([])
})
