/** What comments may not leave behind. */
import { inSources, matchingLines, type Rule } from '../rule.ts'

const unfinished = /\b(TOD[O]|FIXM[E]|XX[X]|HAC[K])\b/

export const nothingUnfinished: Rule = {
  sentence: 'no file says that something is still to be done',
  reason: 'a note in a file is read by nobody. Do it, or write a decision or an issue, and delete the note.',
  *find({ tree }) {
    for (const [path, text] of tree) yield* matchingLines(path, text, unfinished, (match) => `says ${match}`)
  },
  examples: [
    {
      files: {
        'apps/api/src/a.ts': `// ${'TO'}DO: later\nconst todo = 1\n/* ${'FIX'}ME */`,
        'docs/a.md': `${'TO'}DO write this`,
        'docs/b.md': 'methods, mastodons, todo',
      },
      finds: ['apps/api/src/a.ts:1', 'apps/api/src/a.ts:3', 'docs/a.md:1'],
    },
  ],
}

/** A reason is at least two words, and not the placeholder that editors insert. */
const reason = /^[\s:–—-]*(?!<explanation>)\S*\p{L}\S*\s+\S*\p{L}/u

export const suppressionsWithReason: Rule = {
  sentence: 'a rule or a type error is only suppressed with a reason',
  reason:
    'who comes next must know whether the reason still holds. Write `biome-ignore <rule>: <reason>` or `@ts-expect-error <reason>`; the other kinds also hide errors that are not there yet, and are not used.',
  find: inSources(function* ({ path, comments }) {
    for (const { value, line } of comments) {
      const text = value.replace(/^[\s*]+/, '')
      if (/^@ts-(ignore|nocheck)\b/.test(text)) yield { path, line, what: `says ${text.split(/\s/, 1)[0]}` }
      const suppression = /^(biome-ignore\S*|@ts-expect-error\b)(\s+[\w/]+(?=:))?(.*)/s.exec(text)
      if (suppression !== null && !reason.test(suppression[3] ?? ''))
        yield { path, line, what: `suppresses without a reason: ${text.trim()}` }
    }
  }),
  examples: [
    {
      files: {
        'apps/api/src/a.ts': [
          '// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for',
          '// biome-ignore lint/suspicious/noConsole: <explanation>',
          '// biome-ignore lint/suspicious/noConsole:',
          '// @ts-expect-error a number is refused by the type as well',
          '// @ts-expect-error',
          '/* @ts-ignore because of this and that */',
          '// about @ts-expect-error in prose',
        ].join('\n'),
      },
      finds: ['apps/api/src/a.ts:2', 'apps/api/src/a.ts:3', 'apps/api/src/a.ts:5', 'apps/api/src/a.ts:6'],
    },
  ],
}
