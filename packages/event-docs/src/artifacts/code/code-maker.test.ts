import { afterAll, expect, test } from 'vitest'
import { createCodeMaker } from './code-maker.ts'
import type { Piece } from './piece.ts'

const maker = createCodeMaker()
afterAll(() => maker.end())

const piece = (schema: Piece['schema'], language: Piece['language'] = 'go'): Piece => ({
  language,
  name: 'Thing',
  schema,
})
const text = { type: 'string' }

test('a piece that a generator refuses has a reason, and the next one is made', async () => {
  expect(await maker.make(piece({ $ref: '#/$defs/missing' }))).toEqual({ failure: expect.stringMatching(/\S/) })
  expect(await maker.make(piece(text))).toEqual({ text: expect.stringContaining('type Thing string') })
})

test('no generator loads what a schema refers to', async () => {
  for (const language of ['typescript', 'go', 'python'] as const) {
    for (const $ref of ['https://127.0.0.1:9/x.json', 'file:///etc/hostname', '/etc/hostname', 'other.json#/a']) {
      const made = await maker.make(piece({ type: 'object', properties: { a: { $ref } } }, language))
      expect([language, $ref, made]).toEqual([language, $ref, { failure: expect.stringMatching(/\S/) }])
    }
  }
})

test('what takes too long is ended and told; after several of these nothing is tried any more', async () => {
  const hurried = createCodeMaker({ pieceMsMax: 0 })
  const made = []
  for (let count = 0; count < 6; count += 1) made.push(await hurried.make(piece(text)))
  const late = { failure: 'it was not done after 0 ms' }
  const given = { failure: 'the generators were given up: too many pieces ended their thread' }
  expect(made).toEqual([late, late, late, late, given, given])
  await hurried.end()
})

test('many pieces at once are each answered, in whatever order they are done', async () => {
  const types = ['string', 'integer', 'boolean', 'number']
  const all = await Promise.all(
    Array.from({ length: 40 }, (_, index) => maker.make(piece({ type: types[index % 4] ?? '' }))),
  )
  const words = all.map((made) => ('text' in made ? /type Thing (\w+)/.exec(made.text)?.[1] : made.failure))
  expect(words.slice(0, 4)).toEqual(['string', 'int64', 'bool', 'float64'])
  expect(words).toEqual(Array.from({ length: 10 }, () => words.slice(0, 4)).flat())
})

test('a thread that the machine has no time for is waited for, and one that spins is not', async () => {
  const patient = createCodeMaker({ pieceMsMax: 100 })
  // Loads the generators, so that nothing but the pieces is timed.
  await patient.make(piece(text))
  const many = await Promise.all(Array.from({ length: 60 }, () => patient.make(piece(text))))
  expect(many.filter((made) => 'failure' in made)).toEqual([])
  // So many branches are the work of seconds.
  const branches = Array.from({ length: 60_000 }, (_, index) => ({
    type: 'object',
    properties: { [`p${index}`]: text },
  }))
  expect(await patient.make(piece({ anyOf: branches }))).toEqual({ failure: 'it was not done after 100 ms' })
  await patient.end()
})

test('threads that have nothing to do are ended, and others take their place', async () => {
  const resting = createCodeMaker({ idleMs: 0 })
  for (let turn = 0; turn < 2; turn += 1)
    expect(await resting.make(piece(text))).toEqual({ text: expect.stringContaining('type Thing string') })
  await resting.end()
})
