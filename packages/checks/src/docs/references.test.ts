import { expect, test } from 'vitest'
import { readCheckout } from './documents.ts'
import { brokenCommands, brokenReferences } from './references.ts'

const checkout = readCheckout()

test('every link between documents leads somewhere, and every file that a document names is there', () => {
  expect(brokenReferences(checkout)).toEqual([])
})

test('every command in the documents is one that can be called', () => {
  const { scripts } = JSON.parse(checkout.get('package.json') ?? '')
  expect(brokenCommands(checkout, new Set(Object.keys(scripts)))).toEqual([])
  expect(checkout.get('README.md')).toContain('```sh\nnpx pnpm@12 start\n```')
})

test('a broken link, anchor or file name is found', () => {
  const tree = new Map([
    ['docs/a.md', '# A\n[b](b.md#b-here) [self](#a) [up](../README.md) [web](https://example.com)'],
    ['docs/b.md', '## B here\n[c](c.md)\n[a](a.md#b) [folder](../packages/engine)\n`packages/engine/src/gone.ts`'],
    ['README.md', '[docs](docs) `docs/a.md` `packages/engine/`\n[gone](#gone)'],
    ['packages/engine/src/a.ts', ''],
  ])
  expect(brokenReferences(tree)).toEqual([
    'docs/b.md:2 links to docs/c.md, which is not there',
    'docs/b.md:3 links to #b of docs/a.md, which has no such heading',
    'docs/b.md:4 names packages/engine/src/gone.ts, which is not there',
    'README.md:2 links to #gone of README.md, which has no such heading',
  ])
})

test('a command that nobody knows is found', () => {
  const lines = ['npx pnpm@12 start', 'pnpm run gone', 'pnpm install', 'node packages/gone.ts', 'curl http://127.0.0.1']
  const tree = new Map([['README.md', ['```sh', ...lines, '```', '```', 'pnpm lost', '```'].join('\n')]])
  expect(brokenCommands(tree, new Set(['start']))).toEqual([
    'README.md:3 calls "gone", which is no script of package.json',
    'README.md:5 runs packages/gone.ts, which is not there',
  ])
})
