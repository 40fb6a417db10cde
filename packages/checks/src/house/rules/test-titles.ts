/** Titles of tests: each says what no other test of its file says. */
import { inSources, type Rule } from '../rule.ts'
import { child, childrenOf, type Node, nameOf, type Source, textOf, walk } from '../source.ts'

const testNames = new Set(['test', 'it'])
const groupNames = new Set(['describe', 'suite'])

type Titled = { readonly title: string; readonly isGroup: boolean; readonly node: Node }

export const uniqueTitles: Rule = {
  sentence: 'no two tests of a file have the same title',
  reason: 'a failure is told by its title. Say what is different about each.',
  find: inSources(function* (source) {
    if (!/\.test\.tsx?$/.test(source.path)) return
    const all = titled(source)
    const seen = new Map<string, number>()
    for (const { title, isGroup, node } of all) {
      if (isGroup) continue
      const groups = all.filter((other) => other.isGroup && other.node.start < node.start && node.end <= other.node.end)
      const whole = [...groups.map((group) => group.title), title].join(' › ').replaceAll('\0', '…')
      const line = source.lineOf(node)
      const first = seen.get(whole)
      if (first !== undefined) yield { path: source.path, line, what: `"${whole}" is the title at line ${first} too` }
      seen.set(whole, first ?? line)
    }
  }),
  examples: [
    {
      files: {
        'apps/api/src/a.test.ts': [
          "test('one', run)",
          "test.skip('one', run)",
          "describe('a', () => { it('one', run) })",
          "describe('b', () => { it('one', run) })",
          `test.each([1])(\`two \${three}\`, run)`,
          `test.for([2])(\`two \${four}\`, run)`,
          "pattern.test('one')",
        ].join('\n'),
        'apps/api/src/a.ts': "test('one')\ntest('one')",
      },
      finds: ['apps/api/src/a.test.ts:2', 'apps/api/src/a.test.ts:6'],
    },
  ],
}

function titled({ program }: Source): Titled[] {
  const found: Titled[] = []
  walk(program, (node) => {
    if (node.type !== 'CallExpression') return
    const name = rootName(child(node, 'callee'))
    const title = textOf(childrenOf(node, 'arguments')[0])
    if (name === undefined || title === undefined) return
    if (testNames.has(name) || groupNames.has(name)) found.push({ title, isGroup: groupNames.has(name), node })
  })
  return found
}

/** `test`, `test.skip` and `test.each(table)` are all `test`. */
function rootName(callee: Node | undefined): string | undefined {
  if (callee?.type === 'MemberExpression') return rootName(child(callee, 'object'))
  if (callee?.type === 'CallExpression') return rootName(child(callee, 'callee'))
  return nameOf(callee)
}
