/** Each rule of what breaks receivers, at many places of a schema, before three judges: ours, a validator, another library. */
import { changeKinds, schemaChanges } from '@posthorn/contract'
import { Ajv2020 } from 'ajv/dist/2020.js'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { addedRules, dataAt, edits, type Place, places, type Schema, schemaAt } from './edits.ts'
import { createOracle } from './oracle.ts'

const oracle = createOracle()
afterAll(() => oracle.close())

/** Formats are annotations to it, as they are by default. */
const ajv = new Ajv2020({ strict: false, logger: false, validateFormats: false, addUsedSchema: false })

function accepts(schema: Schema, data: unknown): boolean {
  return ajv.compile(schema)(data)
}

/** Whether the innermost place has null beside whatever stands in it. */
function takesNull(nest: readonly Place[]): boolean {
  return accepts(schemaAt(nest, { const: 'nothing else' }), dataAt(nest, null))
}

/** From the outside in. Each place is met alone too: shorter ones come first. */
const nests: fc.Arbitrary<readonly Place[]> = fc.array(fc.constantFrom(...places), { maxLength: 3 })
const everyPlace: readonly (readonly Place[])[] = [[], ...places.map((place) => [place])]

test('every kind of change has an edit that makes it', () => {
  const made = new Set(edits.map(({ kind }) => kind))
  expect(Object.keys(changeKinds).filter((kind) => !made.has(kind as keyof typeof changeKinds))).toEqual([
    'too_complex',
  ])
})

test.each(edits.map((edit) => [edit.name, edit] as const))(
  '%s: the verdict is the same wherever it is done',
  (_name, edit) => {
    fc.assert(
      fc.property(nests, (nest) => {
        if (edit.isOfNull === true && takesNull(nest)) return
        const [before, now] = [schemaAt(nest, edit.before), schemaAt(nest, edit.now)]
        const data = dataAt(nest, edit.data)
        expect([accepts(now, data), accepts(before, data)]).toEqual([true, !edit.refused])
        const { verdict, changes } = schemaChanges(before, now)
        expect([verdict, changes.map(({ kind }) => kind)]).toEqual([edit.verdict, expect.arrayContaining([edit.kind])])
        const path = `data${nest.map((place) => place.path).join('')}`
        expect(changes.filter((change) => change.path.startsWith(path)).map(({ kind }) => kind)).toContain(edit.kind)
      }),
      { numRuns: 24, examples: everyPlace.map((nest) => [nest]) },
    )
  },
)

test.each(addedRules.map((edit) => [edit.name, edit] as const))('%s: nothing changes for receivers', (_name, edit) => {
  for (const nest of everyPlace) {
    const [before, now] = [schemaAt(nest, edit.before), schemaAt(nest, edit.now)]
    const data = dataAt(nest, edit.data)
    expect([accepts(now, data), accepts(before, data), schemaChanges(before, now).verdict]).toEqual([
      true,
      true,
      'safe',
    ])
  }
})

test('another library judges alike, of each edit at places that change from run to run', {
  timeout: 120_000,
}, async () => {
  let decided = 0
  for (const edit of edits) {
    if (edit.judgement === null) continue
    for (const nest of [[], ...fc.sample(nests, 1)]) {
      if (edit.isOfNull === true && takesNull(nest)) continue
      const [before, now] = [schemaAt(nest, edit.before), schemaAt(nest, edit.now)]
      const judgement = await oracle.judge(before, now)
      if (judgement === 'undecided') continue
      decided += 1
      const where = nest.map(({ name }) => name).join(' in ')
      expect([edit.name, where, judgement]).toEqual([edit.name, where, edit.judgement])
    }
  }
  // It is worth something only where that one has an opinion, which it has of most.
  expect(decided).toBeGreaterThan(edits.length)
})
