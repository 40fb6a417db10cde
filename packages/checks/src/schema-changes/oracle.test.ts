/** The verdicts of `schemaChanges` held against those of another library. */
import { type ChangeVerdict, schemaChanges } from '@posthorn/contract'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { createOracle, type Judgement } from './oracle.ts'

type Schema = { [keyword: string]: unknown }

const oracle = createOracle()
afterAll(() => oracle.close())

const names = ['id', 'total', 'lines', 'note'] as const
const text: Schema = { type: 'string' }

const scalar = fc.oneof(
  fc.constantFrom<Schema>(
    text,
    { type: 'boolean' },
    { type: 'number' },
    { type: ['string', 'null'] },
    { type: 'null' },
  ),
  fc.record(
    { type: fc.constant('string'), minLength: fc.nat(2), maxLength: fc.integer({ min: 3, max: 6 }) },
    { requiredKeys: ['type'] },
  ),
  fc.record(
    { type: fc.constant('integer'), minimum: fc.nat(2), maximum: fc.integer({ min: 3, max: 6 }) },
    { requiredKeys: ['type'] },
  ),
  fc.record({ enum: fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 1, null), { minLength: 1, maxLength: 3 }) }),
)

/** One of two forms, told apart by a constant. */
const variants = fc.tuple(scalar, scalar).map(([a, b]): Schema => ({ oneOf: [form('card', a), form('cash', b)] }))

function form(kind: string, inner: Schema): Schema {
  return { type: 'object', properties: { kind: { const: kind }, inner }, required: ['kind', 'inner'] }
}

const { schema } = fc.letrec<{ schema: Schema; object: Schema; list: Schema; map: Schema }>((tie) => ({
  schema: fc.oneof(
    { maxDepth: 3, depthIdentifier: 'pair' },
    scalar,
    tie('object'),
    tie('list'),
    tie('map'),
    variants,
    fc.constant({ $ref: '#/$defs/tree' }),
  ),
  object: fc.record({
    type: fc.constant('object'),
    properties: fc.dictionary(fc.constantFrom(...names), tie('schema'), { minKeys: 1, maxKeys: 3 }),
    required: fc.uniqueArray(fc.constantFrom(...names), { maxLength: 2 }),
  }),
  list: fc.record(
    { type: fc.constant('array'), items: tie('schema'), minItems: fc.nat(2), maxItems: fc.integer({ min: 2, max: 4 }) },
    { requiredKeys: ['type', 'items'] },
  ),
  map: fc.record({ type: fc.constant('object'), additionalProperties: tie('schema') }),
}))

const whole = fc.tuple(schema, scalar).map(([one, value]): Schema => {
  const tree = { type: 'object', properties: { value, children: { type: 'array', items: { $ref: '#/$defs/tree' } } } }
  return { ...one, $defs: { tree: { ...tree, required: ['value'] } } }
})

/** What an author does to a schema: one of the rules in words, at some place. Choices are numbers, so that they shrink. */
const edits: readonly ((node: Schema, choice: number) => void)[] = [
  // A property comes, goes, must come or may be missing.
  (node) => node['properties'] && Object.assign(node['properties'], { added: { type: 'integer' } }),
  (node) =>
    node['properties'] &&
    Object.assign(node, {
      properties: { ...node['properties'], sure: text },
      required: [...listOf(node['required']), 'sure'],
    }),
  (node, choice) => {
    const all = Object.keys((node['properties'] as object | undefined) ?? {})
    if (all.length > 0) delete (node['properties'] as Schema)[all[choice % all.length] ?? '']
  },
  (node) => Array.isArray(node['required']) && Object.assign(node, { required: node['required'].slice(1) }),
  (node) =>
    node['properties'] &&
    Object.assign(node, { required: [...new Set([...listOf(node['required']), ...Object.keys(node['properties'])])] }),
  // Types and values get more or fewer.
  (node) => typeof node['type'] === 'string' && Object.assign(node, { type: [node['type'], 'null'] }),
  (node) => Array.isArray(node['type']) && Object.assign(node, { type: node['type'][0] }),
  (node) => node['type'] === 'number' && Object.assign(node, { type: 'integer' }),
  (node) => node['type'] === 'integer' && Object.assign(node, { type: 'number' }),
  (node) => Array.isArray(node['enum']) && Object.assign(node, { enum: [...node['enum'], 'new'] }),
  (node) =>
    Array.isArray(node['enum']) && node['enum'].length > 1 && Object.assign(node, { enum: node['enum'].slice(1) }),
  (node) => node['type'] === 'string' && Object.assign(node, { enum: ['x', 'yy'] }),
  // Limits move.
  ...(['minLength', 'minimum', 'minItems', 'maxLength', 'maximum', 'maxItems'] as const).map(
    (name) => (node: Schema, choice: number) => {
      if (typeof node[name] === 'number') node[name] = node[name] + (choice % 2 === 0 ? 1 : -1)
    },
  ),
  (node) => node['type'] === 'array' && Object.assign(node, { maxItems: 2 }),
  (node) => node['type'] === 'string' && Object.assign(node, { maxLength: 4 }),
  // Variants come and go.
  (node) => Array.isArray(node['oneOf']) && Object.assign(node, { oneOf: [...node['oneOf'], form('later', text)] }),
  (node) => Array.isArray(node['oneOf']) && Object.assign(node, { oneOf: node['oneOf'].slice(1) }),
  // The same is said in another way.
  (node) => Object.keys(node).length > 0 && node['$defs'] === undefined && replace(node, { allOf: [{ ...node }] }),
  (node) => Array.isArray(node['enum']) && replace(node, { oneOf: node['enum'].map((value) => ({ const: value })) }),
  (node) => Array.isArray(node['type']) && replace(node, { anyOf: node['type'].map((type) => ({ ...node, type })) }),
]

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : []
}

function replace(node: Schema, by: Schema): void {
  for (const name of Object.keys(node)) delete node[name]
  Object.assign(node, by)
}

function edited(before: Schema, choices: readonly number[]): Schema {
  const [edit = 0, place = 0, choice = 0] = choices
  const text = JSON.stringify(before)
  // The first edit from the chosen one on, at the first node from the chosen one on, that changes something.
  for (let turn = 0; turn < edits.length; turn += 1) {
    const change = edits[(edit + turn) % edits.length]
    for (let index = 0; index < nodesOf(before).length; index += 1) {
      const now = structuredClone(before)
      const nodes = nodesOf(now)
      const node = nodes[(place + index) % nodes.length]
      if (node !== undefined) change?.(node, choice)
      if (JSON.stringify(now) !== text) return now
    }
  }
  return before
}

/** Every schema in it, itself included. */
function nodesOf(node: Schema): Schema[] {
  const { properties, $defs, items, additionalProperties, oneOf } = node
  const inner = [
    ...Object.values((properties ?? {}) as object),
    ...Object.values(($defs ?? {}) as object),
    items,
    additionalProperties,
    ...listOf(oneOf),
  ]
  return [node, ...inner.filter((one): one is Schema => one !== null && typeof one === 'object').flatMap(nodesOf)]
}

/** Every edit as often as any other. */
const choices = fc.noBias(fc.tuple(fc.nat(999), fc.nat(999), fc.nat(999)))

/** That each rule is met, and the other one has an opinion, is tested in `edits.test.ts`; here they meet one another. */
test('what is called safe is compatible in the eyes of another library', { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(whole, choices, async (before, chosen) => {
      const now = edited(before, chosen)
      const { verdict, changes } = schemaChanges(before, now)
      if (verdict !== 'safe') return
      const judgement = await oracle.judge(before, now)
      if (judgement === 'incompatible') throw new Error(JSON.stringify({ before, now, changes }, null, 1))
    }),
    { numRuns: 100 },
  )
})

const object = (properties: object, required: string[] = [], more: object = {}) => ({
  type: 'object',
  properties,
  required,
  ...more,
})
const tree = (value: object) => ({
  $ref: '#/$defs/node',
  $defs: { node: object({ value, children: { type: 'array', items: { $ref: '#/$defs/node' } } }) },
})

test.each<[string, object, object, ChangeVerdict, Judgement]>([
  ['an optional property is added', object({ a: text }), object({ a: text, b: text }), 'safe', 'compatible'],
  ['a required property is added', object({}), object({ b: text }, ['b']), 'safe', 'compatible'],
  ['an optional property is removed', object({ a: text }), object({}), 'breaking', 'incompatible'],
  ['a required property becomes optional', object({ a: text }, ['a']), object({ a: text }), 'breaking', 'incompatible'],
  ['a type changes', object({ a: text }), object({ a: { type: 'number' } }), 'breaking', 'incompatible'],
  ['null is added', text, { type: ['string', 'null'] }, 'breaking', 'incompatible'],
  ['an enum value is added', { enum: ['a'] }, { enum: ['a', 'b'] }, 'breaking', 'incompatible'],
  ['an enum value is removed', { enum: ['a', 'b'] }, { enum: ['a'] }, 'safe', 'compatible'],
  ['a type changes in a recursion', tree(text), tree({ type: 'number' }), 'breaking', 'incompatible'],
  ['a limit is tightened in a recursion', tree(text), tree({ ...text, maxLength: 3 }), 'safe', 'compatible'],
  [
    'a slot of a tuple is narrowed',
    { type: 'array', prefixItems: [text] },
    { type: 'array', prefixItems: [{ const: 'a' }] },
    'safe',
    'compatible',
  ],
  [
    'a variant is added',
    { oneOf: [form('card', text)] },
    { oneOf: [form('card', text), form('cash', text)] },
    'breaking',
    'incompatible',
  ],
  [
    'a schema has a name',
    { ...text, $id: 'https://acme.example/a' },
    { ...text, $id: 'https://acme.example/b' },
    'safe',
    'compatible',
  ],
])('both judge alike when %s', async (_what, before, now, verdict, judgement) => {
  expect([schemaChanges(before, now).verdict, await oracle.judge(before, now)]).toEqual([verdict, judgement])
})

/** Where the two differ, on purpose. Each names who is stricter, and why. */
test.each<[string, object, object, ChangeVerdict, Judgement]>([
  ['a format is an annotation to the other', { ...text, format: 'date' }, text, 'warning', 'compatible'],
  [
    'a pattern that is relaxed is a warning here',
    { ...text, pattern: '^a+$' },
    { ...text, pattern: '^[ab]+$' },
    'warning',
    'incompatible',
  ],
  [
    'a limit that is relaxed is a warning here',
    { ...text, maxLength: 5 },
    { ...text, maxLength: 6 },
    'warning',
    'incompatible',
  ],
  [
    'receivers ignore what they do not know, so a closed object is an open one here',
    object({}, [], { additionalProperties: false }),
    object({}),
    'safe',
    'incompatible',
  ],
  [
    'and a new member of it is a warning',
    object({}, [], { additionalProperties: false }),
    object({ a: text }, [], { additionalProperties: false }),
    'warning',
    'incompatible',
  ],
  [
    'an enum that was announced to grow',
    { enum: ['a'], 'x-extensible-enum': true },
    { enum: ['a', 'b'] },
    'warning',
    'incompatible',
  ],
  [
    'a meaning that has changed',
    { ...text, 'x-semantic-version': 1 },
    { ...text, 'x-semantic-version': 2 },
    'breaking',
    'compatible',
  ],
  [
    'a receiver takes the first branch that fits, so oneOf is anyOf here',
    { oneOf: [text, { ...text, minLength: 2 }] },
    { anyOf: [text, { ...text, minLength: 2 }] },
    'safe',
    'incompatible',
  ],
  [
    'an optional property that is removed may have been unconstrained by the other, and breaks here',
    object({ a: {} }),
    object({}),
    'breaking',
    'compatible',
  ],
])('known difference: %s', async (_what, before, now, verdict, judgement) => {
  expect([schemaChanges(before, now).verdict, await oracle.judge(before, now)]).toEqual([verdict, judgement])
})
