import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import results from '../../samples/results.json' with { type: 'json' }
import { type Language, languageNames, sampleEntries } from './manifest.ts'
import { hashOf, type KeptResults, readSample, samples } from './samples.ts'

const folder = fileURLToPath(new URL('../../samples', import.meta.url))
const kept: KeptResults = results
const [entry = expect.fail('there are no samples')] = sampleEntries

test('every file below the folder of samples is a sample, and the other way round', () => {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => statSync(join(folder, path)).isFile() && path !== 'results.json')
    .toSorted()
  expect(sampleEntries.map(({ file }) => file).toSorted()).toEqual(files)
})

test('every language has a sample with a library and one with none; a shell has only the latter', () => {
  for (const language of Object.keys(languageNames) as Language[]) {
    const uses = new Set(sampleEntries.flatMap((each) => (each.language === language ? [each.usesLibrary] : [])))
    expect([language, ...uses].toSorted()).toEqual(
      [language, ...(language === 'shell' ? [false] : [true, false])].toSorted(),
    )
  }
  const frameworks = sampleEntries.map(({ framework }) => framework)
  expect(frameworks).toEqual(expect.arrayContaining(['Express', 'Fastify', 'Flask', 'FastAPI', 'Sinatra', 'axum']))
})

test('ids and titles tell samples apart', () => {
  expect(new Set(samples.map(({ id }) => id)).size).toBe(samples.length)
  expect(new Set(samples.map(({ title }) => title)).size).toBe(samples.length)
})

test.each(samples)('$id reads the secret from the environment and has no other', ({ text }) => {
  expect(text).toContain('WEBHOOK_SECRET')
  expect(text).not.toMatch(/whsec_[A-Za-z0-9+/]{16}/)
})

test.each(sampleEntries)('$id uses a library if it says so, and then installs it', ({ id, usesLibrary, install }) => {
  const text = samples.find((sample) => sample.id === id)?.text ?? ''
  const namesLibrary = /standard-?webhooks/i
  expect(namesLibrary.test(text)).toBe(usesLibrary)
  expect(namesLibrary.test(install ?? '')).toBe(usesLibrary)
  expect(/hmac/i.test(text)).toBe(!usesLibrary)
})

test('no line of a sample is too long for a page', () => {
  const long = samples.flatMap(({ id, text }) =>
    text
      .split('\n')
      .filter((line) => line.length > 100)
      .map((line) => [id, line]),
  )
  expect(long).toEqual([])
})

describe('what was run', () => {
  test('is known of samples that there are, with the bytes that they have', () => {
    for (const [id, { sha256 }] of Object.entries(kept)) {
      const text = samples.find((sample) => sample.id === id)?.text ?? expect.fail(`there is no sample "${id}"`)
      expect(sha256, `${id} was changed since it was run: ${howToRun}`).toBe(hashOf(text))
    }
  })

  test('includes every sample of Node and of Python', () => {
    const must = sampleEntries.filter(({ language }) => language === 'node' || language === 'python')
    expect(Object.keys(kept)).toEqual(expect.arrayContaining(must.map(({ id }) => id)))
  })

  test('is said of every sample', () => {
    for (const { id, run } of samples) expect(run.ran).toBe(Object.hasOwn(kept, id))
  })

  test('differs from the vectors only where a library or a server stands between', () => {
    const differing = samples.filter(({ run }) => run.ran && run.differs.length > 0)
    expect(differing.filter(({ usesLibrary }) => !usesLibrary).map(({ id }) => id)).toEqual(['java-no-library'])
  })
})

test('a sample that no result names was never run, and says what it needs', () => {
  expect(readSample(entry, {}).run).toEqual({
    ran: false,
    why: 'not all that it needs was at hand: Node.js 20 or newer, express, standardwebhooks',
  })
})

test('a sample that was changed since counts as never run', () => {
  const old = { sha256: hashOf('what it was'), with: 'Node.js 24', libraries: [], requests: 65, differs: [] }
  expect(readSample(entry, { [entry.id]: old }).run).toEqual({
    ran: false,
    why: 'it was changed since it was last run',
  })
})

test('a sample of the bytes that were run says with what', () => {
  const sha256 = hashOf(readSample(entry, {}).text)
  const run = {
    with: 'Node.js 24',
    libraries: ['express 5.2.1'],
    requests: 65,
    differs: ['signatures: two spaces between'],
  }
  expect(readSample(entry, { [entry.id]: { sha256, ...run } }).run).toEqual({ ran: true, ...run })
})

const howToRun = 'run `node packages/event-docs/src/samples/testing/main.ts`'
