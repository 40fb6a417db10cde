/** Tests wait for what they wait for, never for time. */
import { inSources, type Rule } from '../rule.ts'
import { nameOf, walk } from '../source.ts'

const tests = /\.test\.tsx?$|\/testing\/|^packages\/checks\//
const waits = new Set(['setTimeout', 'sleep', 'waitForTimeout'])
const timers = /^(node:)?timers(\/promises)?$/

export const noSleeps: Rule = {
  sentence: 'no test sleeps',
  reason:
    'a test that waits for time is slow on a good day and fails on a bad one. Wait for the signal, the promise or the row; give the code a clock to move.',
  find: inSources(function* ({ path, imports, program, lineOf }) {
    if (!tests.test(path)) return
    for (const { specifier, line } of imports) {
      if (timers.test(specifier)) yield { path, line, what: `imports ${specifier}` }
    }
    const uses: { line: number; name: string }[] = []
    walk(program, (node) => {
      const name = nameOf(node)
      if (name !== undefined && waits.has(name)) uses.push({ line: lineOf(node), name })
    })
    for (const { line, name } of uses) yield { path, line, what: `uses ${name}` }
  }),
  examples: [
    {
      files: {
        'apps/api/src/a.test.ts': "import { setTimeout as pause } from 'node:timers/promises'",
        'apps/api/src/b.test.ts': '// sleep\nawait new Promise((r) => setTimeout(r, 5))\nawait page.waitForTimeout(1)',
        'apps/api/src/b.ts': 'setTimeout(stop, 5)',
        'packages/checks/src/flows/posthorn.ts': "import { scheduler } from 'timers/promises'\nawait sleep(5)",
      },
      finds: [
        'apps/api/src/a.test.ts:1',
        'apps/api/src/a.test.ts:1',
        'apps/api/src/b.test.ts:2',
        'apps/api/src/b.test.ts:3',
        'packages/checks/src/flows/posthorn.ts:1',
        'packages/checks/src/flows/posthorn.ts:2',
      ],
    },
  ],
}
