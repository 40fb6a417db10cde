import { existsSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { longFiles, ordered, spreadFiles } from './file-order.ts'

const root = fileURLToPath(new URL('../../../..', import.meta.url))

const order = (paths: readonly string[]) => ordered(paths, (path) => path)

test('files that take long begin first, and all others stay in their order', () => {
  const given = ['apps/api/src/b.test.ts', 'packages/checks/src/flows/a.test.ts', 'apps/api/src/a.test.ts']
  expect(order([...given, 'packages/checks/src/demo/demo.test.ts'])).toEqual([
    'packages/checks/src/demo/demo.test.ts',
    'packages/checks/src/flows/a.test.ts',
    'apps/api/src/b.test.ts',
    'apps/api/src/a.test.ts',
  ])
})

test('faults are spread evenly between the others, and none is forgotten, however many there are', () => {
  const faults = (count: number) => Array.from({ length: count }, (_, number) => `${spreadFiles}${number}.test.ts`)
  const others = (count: number) => Array.from({ length: count }, (_, number) => `apps/api/src/${number}.test.ts`)
  const kinds = (paths: readonly string[]) => paths.map((path) => (path.startsWith(spreadFiles) ? 'f' : 'o')).join('')
  expect(kinds(order([...others(9), ...faults(3)]))).toBe('fooofooofooo')
  expect(kinds(order([...others(5), ...faults(2)]))).toBe('fooofoo')
  for (const [few, many] of [
    [0, 3],
    [3, 0],
    [3, 2],
    [7, 3],
    [20, 225],
  ] as const) {
    const given = [...others(many), ...faults(few)]
    expect(order(given).toSorted()).toEqual(given.toSorted())
  }
})

test.each([...longFiles, spreadFiles])('there are test files that begin with %s', (beginning) => {
  const folder = beginning.endsWith('/') ? beginning : dirname(beginning)
  expect(existsSync(join(root, folder))).toBe(true)
  const found = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((path) => join(folder, path))
  expect(found.some((path) => path.startsWith(beginning) && path.endsWith('.test.ts'))).toBe(true)
})
