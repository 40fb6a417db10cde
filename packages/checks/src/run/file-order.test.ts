import { existsSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { longestFirst, longFiles } from './file-order.ts'

const root = fileURLToPath(new URL('../../../..', import.meta.url))

test('files that take long begin first, and all others stay in their order', () => {
  const given = ['apps/api/src/b.test.ts', 'packages/checks/src/flows/a.test.ts', 'apps/api/src/a.test.ts']
  const sorted = longestFirst([...given, 'packages/checks/src/demo/demo.test.ts'], (path) => path)
  expect(sorted).toEqual([
    'packages/checks/src/demo/demo.test.ts',
    'packages/checks/src/flows/a.test.ts',
    'apps/api/src/b.test.ts',
    'apps/api/src/a.test.ts',
  ])
})

test.each(longFiles)('there are test files that begin with %s', (beginning) => {
  const folder = beginning.endsWith('/') ? beginning : dirname(beginning)
  expect(existsSync(join(root, folder))).toBe(true)
  const found = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((path) => join(folder, path))
  expect(found.some((path) => path.startsWith(beginning) && path.endsWith('.test.ts'))).toBe(true)
})
