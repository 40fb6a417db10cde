/** Words that no source of ours contains. */
import { isTest } from '../house.ts'
import { inSources, type Rule } from '../rule.ts'
import { child, isReference, nameOf, walk } from '../source.ts'

/** Tools that load a module by its default export. */
const loadedByDefault = /(^|\/)(vitest|vite|prisma|openapi-ts)\.config\.ts$/

export const namedExports: Rule = {
  sentence: 'nothing is exported by default, except what a tool loads that way',
  reason: 'a thing with one name can be found. Export it by its name.',
  find: inSources(function* ({ path, program, lineOf }) {
    if (loadedByDefault.test(path)) return
    const lines: number[] = []
    walk(program, (node) => {
      const isDefault = node.type === 'ExportSpecifier' && nameOf(child(node, 'exported')) === 'default'
      if (isDefault || node.type === 'ExportDefaultDeclaration') lines.push(lineOf(node))
    })
    for (const line of lines) yield { path, line, what: 'exports by default' }
  }),
  examples: [
    {
      files: {
        'packages/checks/vitest.config.ts': 'export default {}',
        'apps/api/src/a.ts': 'export default function a() {}',
        'apps/api/src/b.ts': "export { default } from './a.ts'",
        'apps/api/src/c.ts': "import a from './a.ts'\nexport { a as default }",
      },
      finds: ['apps/api/src/a.ts:1', 'apps/api/src/b.ts:1', 'apps/api/src/c.ts:2'],
    },
  ],
}

export const noAny: Rule = {
  sentence: 'no type is any, except in a test that says why',
  reason:
    '`any` turns the compiler off for everything that it touches. Say `unknown`, and look. A test may say it below `biome-ignore lint/suspicious/noExplicitAny: <reason>`.',
  find: inSources(function* ({ path, program, comments, lineOf }) {
    const excuses = comments.filter(({ value }) => isTest(path) && value.includes('noExplicitAny'))
    const lines: number[] = []
    walk(program, (node) => {
      if (node.type === 'TSAnyKeyword') lines.push(lineOf(node))
    })
    for (const line of lines) {
      if (!excuses.some((excuse) => excuse.line === line - 1)) yield { path, line, what: 'says any' }
    }
  }),
  examples: [
    {
      files: {
        'apps/api/src/a.ts': "const any = 'any' // any\nconst a = any as any\nfunction b(c: any[]): unknown {}",
        'apps/api/src/b.ts': '// biome-ignore lint/suspicious/noExplicitAny: answers of many forms\nconst a: any = b',
        'apps/api/src/b.test.ts':
          '// biome-ignore lint/suspicious/noExplicitAny: answers of many forms\nconst a: any = b\nconst c: any = d',
      },
      finds: ['apps/api/src/a.ts:2', 'apps/api/src/a.ts:3', 'apps/api/src/b.ts:2', 'apps/api/src/b.test.ts:3'],
    },
  ],
}

export const noConsole: Rule = {
  sentence: 'nothing writes to the console',
  reason: 'what happens is told to the telemetry, and what a command answers is written by its main.ts.',
  find: inSources(function* ({ path, program, lineOf }) {
    const lines: number[] = []
    walk(program, (node, parent, key) => {
      if (nameOf(node) === 'console' && isReference(parent, key)) lines.push(lineOf(node))
    })
    for (const line of lines) yield { path, line, what: 'uses console' }
  }),
  examples: [
    {
      files: { 'apps/api/src/a.ts': "// console.log\nconsole.log('a')\nconst b = { console: ui.console }" },
      finds: ['apps/api/src/a.ts:2'],
    },
  ],
}
