/** Only a `main.ts` is a process; everything else is given what it needs. */
import { isTest } from '../house.ts'
import { inSources, type Rule } from '../rule.ts'
import { child, childrenOf, isReference, type Node, nameOf, type Source, textOf, walk } from '../source.ts'

/** What runs by itself: the mains (the check runner is that of its package), and what vitest loads as its own. */
const mains = /(^|\/)main\.ts$|^packages\/checks\/src\/run\.ts$|\/testing\/global-set-up\.ts$|(^|\/)vitest\.config\.ts$/
/** What a test needs to start a real process, and to end it. */
const forTests = ['execPath', 'env', 'pid', 'getuid', 'kill']

export const processAccess: Rule = {
  sentence: 'only a main.ts touches the process, and tests only to start and end others',
  reason:
    'environment, arguments, signals and exit codes are read in one place and passed on as values, so that everything else can be tested and put together in one process. A test may pass its whole environment on, not look into it.',
  find: inSources(function* (source) {
    const { path, lineOf } = source
    if (mains.test(path)) return
    for (const { node, what } of [...imported(source), ...used(source)]) {
      if (!isTest(path) || !forTests.includes(what)) yield { path, line: lineOf(node), what: `uses process.${what}` }
    }
  }),
  examples: [
    {
      files: {
        'apps/api/src/main.ts': 'await serve(process.env)',
        'packages/engine/src/testing/global-set-up.ts': 'process.exit()',
        'apps/api/src/app.ts': [
          'const a = child.process',
          "const b = process.env['B']",
          'const c = globalThis.process.cwd()',
          'const d = { ...process }',
        ].join('\n'),
        'apps/api/src/server.ts': "import { env } from 'node:process'\nconst options = { process: 1 }",
        'apps/api/src/server.test.ts': [
          "import { execPath, exit } from 'node:process'",
          'spawn(process.execPath, { env: { ...process.env, A: 1 } })',
          "if (process.env['CI'] || process.argv[2]) run()",
        ].join('\n'),
        'packages/engine/src/house/run.ts':
          "// process\nimport process from 'process'\nfor (const a of process.argv) b(a)",
      },
      finds: [
        'apps/api/src/app.ts:2',
        'apps/api/src/app.ts:3',
        'apps/api/src/app.ts:4',
        'apps/api/src/server.ts:1',
        'apps/api/src/server.test.ts:1',
        'apps/api/src/server.test.ts:3',
        'apps/api/src/server.test.ts:3',
        'packages/engine/src/house/run.ts:2',
        'packages/engine/src/house/run.ts:3',
      ],
    },
  ],
}

type Use = { readonly node: Node; readonly what: string }

function imported({ program }: Source): Use[] {
  const uses: Use[] = []
  walk(program, (node) => {
    if (!/^(node:)?process$/.test(textOf(child(node, 'source')) ?? '')) return
    const names = childrenOf(node, 'specifiers').map((specifier) => nameOf(child(specifier, 'imported')))
    for (const what of names.length === 0 ? [undefined] : names) uses.push({ node, what: what ?? '*' })
  })
  return uses
}

function used({ program }: Source): Use[] {
  const uses: Use[] = []
  const parents = new Map<Node, Node | undefined>()
  walk(program, (node, parent, key) => {
    parents.set(node, parent)
    if (nameOf(node) !== 'process') return
    const isOfGlobal = key === 'property' && nameOf(parent && child(parent, 'object')) === 'globalThis'
    if (!isOfGlobal && !isReference(parent, key)) return
    if (parent?.type === 'ImportDefaultSpecifier' || parent?.type === 'ImportNamespaceSpecifier') return
    const holder = isOfGlobal ? parents.get(parent ?? node) : parent
    const member = holder?.type === 'MemberExpression' ? nameOf(child(holder, 'property')) : undefined
    const isLookedInto = holder !== undefined && parents.get(holder)?.type === 'MemberExpression'
    uses.push({ node, what: `${member ?? '*'}${member === 'env' && isLookedInto ? '[…]' : ''}` })
  })
  return uses
}
