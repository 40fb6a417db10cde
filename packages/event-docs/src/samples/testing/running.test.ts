/**
 * Runs every sample that this machine can run, each as real processes on loopback. Packages that they need come from the
 * package registries of their languages; Python itself is installed where it is missing and that can be done.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { env, execPath, getuid } from 'node:process'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import results from '../../../samples/results.json' with { type: 'json' }
import { installDebianPackages } from '../../testing/debian-packages.ts'
import { sampleEntries } from '../manifest.ts'
import { type KeptResults, samples } from '../samples.ts'
import { runToEnd } from './children.ts'
import { judgeServer } from './judging.ts'
import { type Outcome, runSample } from './running.ts'

declare module 'vitest' {
  interface TaskMeta {
    /** Lines for whoever reads the output of the tests. */
    told?: string
  }
}

const runTimeoutMs = 600_000
const lookTimeoutMs = 20_000
const kept: KeptResults = results

const outcomes = new Map<string, Outcome>()
/** Why there is no Python here that can make environments; undefined when there is one. */
let noPython: string | undefined

beforeAll(async () => {
  const look = () =>
    runToEnd(['python3', '-c', 'import ensurepip, venv'], { env: { ...env }, timeoutMs: lookTimeoutMs })
  if ((await look()).exitCode === 0) return
  const fault = await installDebianPackages(['python3', 'python3-venv'], { uid: getuid?.() ?? -1, env })
  const { exitCode, output } = await look()
  if (exitCode !== 0) noPython = `there is no Python that can make environments: ${fault ?? output}`
}, runTimeoutMs)

test.for(sampleEntries)(
  'the sample $id judges every published request as it must',
  {
    timeout: runTimeoutMs,
  },
  async (entry, { skip }) => {
    const outcome = await runSample(entry, { ...env })
    outcomes.set(entry.id, outcome)
    if (outcome.came === 'skipped') return skip(outcome.why)
    expect(outcome).toMatchObject({ came: 'right' })
    // One that never ran before is right, and the pages go on saying that it never ran until that is written down.
    if (outcome.came !== 'right' || kept[entry.id] === undefined) return
    const keep =
      'what is kept of this sample is something else: run `node packages/event-docs/src/samples/testing/main.ts`'
    // Crates come in the newest versions that are compatible; everything else is held to exact ones.
    const libraries = entry.language === 'rust' ? expect.any(Array) : outcome.result.libraries
    expect(kept[entry.id], keep).toEqual({ ...outcome.result, libraries, with: expect.stringMatching(/ [\d.]+$/) })
  },
)

test('samples of Node are never skipped, and those of Python only where there is none or its packages cannot be had', () => {
  const skipped = [...outcomes].flatMap(([id, outcome]) =>
    outcome.came === 'skipped' ? [{ id, why: outcome.why }] : [],
  )
  expect(outcomes.size).toBe(sampleEntries.length)
  expect(skipped.filter(({ id }) => id.startsWith('node-'))).toEqual([])
  const ofPython = skipped.filter(({ id }) => id.startsWith('python-'))
  for (const { id, why } of ofPython) {
    if (noPython === undefined)
      expect([id, why]).toEqual([id, expect.stringMatching(/^"pip install [a-z ]+" (failed|took)/)])
  }
  if (noPython === undefined) expect(ofPython.map(({ id }) => id)).not.toContain('python-no-library')
})

test('which samples ran here, and why others did not', ({ task }) => {
  const lines = samples.map(({ id, run }) => {
    const outcome = outcomes.get(id)
    if (outcome?.came === 'right') return `${id.padEnd(20)} ran with ${outcome.result.with}`
    const why = outcome?.came === 'skipped' ? outcome.why : 'it is wrong'
    return `${id.padEnd(20)} not here: ${why}; ${run.ran ? `once with ${run.with}` : 'never anywhere'}`
  })
  task.meta.told = [...lines, ...(noPython === undefined ? [] : [noPython])].join('\n')
  expect(lines).toHaveLength(sampleEntries.length)
})

/** They lead to more than is listed: as chance has it, or each time in another number. */
const isOpenEnded: ReadonlySet<string> = new Set([
  'it takes an event each time that it comes',
  'it compares the beginnings of signatures',
])

describe('a receiver that is wrong is found', () => {
  const right = samples.find(({ id }) => id === 'node-no-library')?.text ?? ''
  let folder: string

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'posthorn-wrong-sample-'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  test.each<[mistake: string, from: string, to: string, faults: readonly string[]]>([
    [
      'it does not look at the time',
      '> toleranceSeconds) return false',
      '> Infinity) return false',
      [
        '"a day old" (timestamp_too_old): accepted',
        '"one second further ahead than allowed" (timestamp_too_new): accepted',
        '"one second older than allowed" (timestamp_too_old): accepted',
      ],
    ],
    [
      'it compares the beginnings of signatures',
      'given.length === expected.length && timingSafeEqual(given, expected)',
      'expected.subarray(0, 20).equals(given.subarray(0, 20))',
      [
        '"signature: cut off in the middle" (invalid_header): accepted',
        '"signature: other bits before the padding, which lenient decoders ignore" (invalid_header): accepted',
        '"signature: padding cut off" (invalid_header): accepted',
        '"signatures: a comma and a space between" (invalid_header): accepted',
        '"signatures: in two header lines" (invalid_header): accepted',
        '"signatures: only a comma between" (invalid_header): accepted',
      ],
    ],
    [
      'it parses the body before it verifies',
      '.update(body)',
      '.update(JSON.stringify(JSON.parse(body)))',
      [
        '"a body that is no UTF-8" (valid): answered 500',
        '"an empty body" (valid): answered 500',
        '"body: a byte order mark in front" (no_matching_signature): answered 500',
        '"body: a line break at the end" (no_matching_signature): accepted',
        '"body: cut off" (no_matching_signature): answered 500',
        '"body: letters escaped on the way" (no_matching_signature): accepted',
        '"body: parsed and written again with spaces" (no_matching_signature): accepted',
      ],
    ],
    [
      'it reads the first signature only',
      "signatures.split(' ').some(",
      "signatures.split(' ').slice(0, 1).some(",
      [
        '"a v1a signature before the v1 one" (valid): refused',
        '"rotation: both signatures, the receiver still has the old secret" (valid): refused',
        '"rotation: one of two signatures is by an unknown secret" (valid): refused',
      ],
    ],
    [
      'it has one secret only',
      'return keys.some(',
      'return keys.slice(0, 1).some(',
      ['"rotation: one signature, the receiver has both secrets" (valid): refused'],
    ],
    [
      'it takes an event each time that it comes',
      'if (!events.has(id))',
      'if (id)',
      [expect.stringMatching(/^it took the event \S+ more than once$/)],
    ],
    [
      'it starts with a secret that has no key',
      'keys.some((key) => key.length < 24)',
      'false',
      ['with the secret "whsec_" it accepts what everybody can sign'],
    ],
  ])('when %s', { timeout: runTimeoutMs }, async (mistake, from, to, faults) => {
    expect(right.split(from)).toHaveLength(2)
    const file = join(folder, `${mistake.replaceAll(' ', '-')}.mjs`)
    await writeFile(file, right.replace(from, to))
    const prepared = {
      isReady: true,
      with: 'Node.js',
      libraries: [],
      command: () => [execPath, file] as const,
      cwd: folder,
      env: { ...env },
    } as const
    const judged = await judgeServer(prepared, { framework: 'node:http', usesLibrary: false })
    expect(judged.faults.toSorted()).toEqual(expect.arrayContaining([...faults]))
    // Each mistake is one, and everything else is judged as before; but bits of a fresh signature may decide on one more.
    if (!isOpenEnded.has(mistake)) expect(judged.faults).toHaveLength(faults.length)
  })
})
