import { expect, test } from 'vitest'
import { ignored } from './tree.ts'

test('a folder that is ignored by name is ignored wherever it is, one by path only there', () => {
  const isIgnored = ignored('# built\nnode_modules/\npackages/engine/src/db/generated/\n')
  expect(isIgnored('node_modules', true)).toBe(true)
  expect(isIgnored('apps/api/node_modules', true)).toBe(true)
  expect(isIgnored('node_modules', false)).toBe(false)
  expect(isIgnored('packages/engine/src/db/generated', true)).toBe(true)
  expect(isIgnored('other/packages/engine/src/db/generated', true)).toBe(false)
})

test('a star stands for part of a name', () => {
  const isIgnored = ignored('*.log\n/coverage')
  expect(isIgnored('apps/api/debug.log', false)).toBe(true)
  expect(isIgnored('apps/api/debug.logs', false)).toBe(false)
  expect(isIgnored('coverage', true)).toBe(true)
  expect(isIgnored('apps/coverage', true)).toBe(false)
})

test('a pattern that is not understood is refused', () => {
  expect(() => ignored('!kept')).toThrow('!kept')
  expect(() => ignored('**/generated')).toThrow('**/generated')
})
