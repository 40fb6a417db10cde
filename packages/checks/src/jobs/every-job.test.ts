/** Every job has its test, or stands here with the reason why no API serves it. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

/** How many jobs whoever comes has. */
const jobs = {
  B: { count: 12, file: 'publishers.test.ts' },
  C: { count: 12, file: 'receivers.test.ts' },
  S: { count: 11, file: 'support.test.ts' },
}
const servedOtherwise: Readonly<Record<string, string>> = {
  B10: 'testing in CI is the command `posthorn demo --once` (packages/checks/src/demo)',
}

test.each(Object.entries(jobs))(
  'every job of the list %s is a test, once, or says what serves it instead',
  (letter, { count, file }) => {
    const source = readFileSync(new URL(file, import.meta.url), 'utf8')
    const tested = [...source.matchAll(/^test\('([BCS]\d+) /gm)].map(([, job]) => job ?? '')
    const all = Array.from({ length: count }, (_, index) => `${letter}${index + 1}`)
    const missing = all.filter((job) => servedOtherwise[job] === undefined)
    expect(tested.toSorted()).toEqual(missing.toSorted())
  },
)
