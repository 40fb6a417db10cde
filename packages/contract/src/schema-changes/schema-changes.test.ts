import { expect, test } from 'vitest'
import { schemaChanges } from './schema-changes.ts'

const object = (properties: object, required: string[] = [], more: object = {}) => ({
  type: 'object',
  properties,
  required,
  ...more,
})
const text = { type: 'string' }
const number = { type: 'number' }
const nullable = { type: ['string', 'null'] }
const card = object({ kind: { const: 'card' }, last4: text }, ['kind', 'last4'])
const cash = object({ kind: { const: 'cash' } }, ['kind'])

test.each<[string, unknown, unknown, string[]]>([
  ['an optional property is added', object({ a: text }), object({ a: text, b: text }), ['safe property_added data.b']],
  ['a required property is added', object({}), object({ b: text }, ['b']), ['safe property_added data.b']],
  [
    'a property is added to a closed object',
    object({}, [], { additionalProperties: false }),
    object({ b: text }, [], { additionalProperties: false }),
    ['warning property_added data.b'],
  ],
  ['an optional property is removed', object({ a: text }), object({}), ['breaking property_removed data.a']],
  ['a required property is removed', object({ a: text }, ['a']), object({}), ['breaking property_removed data.a']],
  [
    'a required property becomes optional',
    object({ a: text }, ['a']),
    object({ a: text }),
    ['breaking property_optional data.a'],
  ],
  [
    'an optional property becomes required',
    object({ a: text }),
    object({ a: text }, ['a']),
    ['safe property_required data.a'],
  ],
  ['null is added to the types', object({ a: text }), object({ a: nullable }), ['breaking null_added data.a']],
  ['null is added as a variant', text, { anyOf: [text, { type: 'null' }] }, ['breaking null_added data']],
  ['null is added to an enum', { enum: ['a'] }, { enum: ['a', null] }, ['breaking null_added data']],
  ['null is removed', nullable, text, ['safe null_removed data']],
  ['two ways to say nullable', nullable, { anyOf: [{ type: 'null' }, text] }, []],
  ['two ways to say a constant', { const: 'a' }, { enum: ['a'] }, []],
  ['two ways to list values', { enum: ['a', 'b'] }, { oneOf: [{ const: 'b' }, { const: 'a', title: 'A' }] }, []],
  ['a type changes', object({ a: text }), object({ a: number }), ['breaking type_changed data.a']],
  ['a type is added', text, { type: ['string', 'number'] }, ['breaking type_widened data']],
  [
    'a type is dropped',
    object({ a: text }),
    object({ a: {} }),
    ['breaking null_added data.a', 'breaking type_widened data.a'],
  ],
  ['an integer becomes a number', { type: 'integer' }, number, ['breaking type_widened data']],
  ['a number becomes an integer', number, { type: 'integer' }, ['safe type_narrowed data']],
  ['a type is removed', { type: ['string', 'number'] }, text, ['safe type_narrowed data']],
  ['an enum value is added', { enum: ['a'] }, { enum: ['a', 'b'] }, ['breaking enum_value_added data']],
  [
    'a value is added to an enum that was announced to grow',
    { enum: ['a'], 'x-extensible-enum': true },
    { enum: ['a', 'b'] },
    ['warning enum_value_added data'],
  ],
  ['an enum value is removed', { enum: ['a', 'b'] }, { enum: ['a'] }, ['safe enum_value_removed data']],
  [
    'a value is added to two hundred that have a title each',
    { oneOf: titled(200) },
    { oneOf: titled(201) },
    ['breaking enum_value_added data'],
  ],
  [
    'a listed value is no longer kept away by the type beside it',
    { anyOf: [{ type: 'string', enum: ['a', 1] }, { const: 'b' }] },
    { anyOf: [{ enum: ['a', 1] }, { const: 'b' }] },
    ['breaking type_widened data'],
  ],
  [
    'a constant changes',
    { const: 1 },
    { const: 2 },
    ['breaking enum_value_added data', 'safe enum_value_removed data'],
  ],
  ['an enum is dropped', { type: 'string', enum: ['a'] }, text, ['breaking values_unlimited data']],
  ['an enum is given', text, { enum: ['a'] }, ['safe values_limited data']],
  ['a limit is relaxed', { ...text, maxLength: 5 }, { ...text, maxLength: 6 }, ['warning limit_relaxed data']],
  ['a limit is dropped', { ...text, maxLength: 5 }, text, ['warning limit_relaxed data']],
  ['a limit is tightened', { ...text, maxLength: 5 }, { ...text, maxLength: 4 }, ['safe limit_tightened data']],
  ['a minimum goes down', { minimum: 1, ...number }, { ...number, minimum: 0 }, ['warning limit_relaxed data']],
  [
    'a limit is included that was not',
    { ...number, exclusiveMinimum: 1 },
    { ...number, minimum: 1 },
    ['warning limit_relaxed data'],
  ],
  [
    'a limit is excluded that was included',
    { ...number, minimum: 1 },
    { ...number, exclusiveMinimum: 1 },
    ['safe limit_tightened data'],
  ],
  ['listed values keep the limit', { ...text, maxLength: 2 }, { enum: ['a', 'bb'] }, ['safe values_limited data']],
  [
    'a listed value passes the limit',
    { ...text, maxLength: 2 },
    { enum: ['a', 'bbb'] },
    ['safe values_limited data', 'warning limit_relaxed data'],
  ],
  ['a multiple is relaxed', { ...number, multipleOf: 4 }, { ...number, multipleOf: 2 }, ['warning limit_relaxed data']],
  ['a multiple is tightened', { ...number, multipleOf: 2 }, { ...number, multipleOf: 4 }, []],
  ['a pattern changes', { ...text, pattern: 'a' }, { ...text, pattern: 'b' }, ['warning pattern_changed data']],
  ['a format is dropped', { ...text, format: 'date' }, text, ['warning format_changed data']],
  [
    'an item changes its type',
    { type: 'array', items: text },
    { type: 'array', items: number },
    ['breaking type_changed data[]'],
  ],
  [
    'the slot of a tuple changes its type',
    { type: 'array', prefixItems: [text, text] },
    { type: 'array', prefixItems: [text, number] },
    ['breaking type_changed data[1]'],
  ],
  [
    'a closed tuple grows',
    { type: 'array', prefixItems: [text], items: false },
    { type: 'array', prefixItems: [text, text], items: false },
    ['warning limit_relaxed data'],
  ],
  ['items need not be unique', { type: 'array', uniqueItems: true }, { type: 'array' }, ['breaking rule_dropped data']],
  [
    'the values of a map change their type',
    { type: 'object', additionalProperties: text },
    { type: 'object', additionalProperties: number },
    ['breaking type_changed data{}'],
  ],
  [
    'a map gets a member of another type',
    { type: 'object', additionalProperties: text },
    { type: 'object', additionalProperties: text, properties: { n: number } },
    ['safe property_added data.n', 'breaking type_changed data.n'],
  ],
  [
    'names of a pattern change their type',
    { type: 'object', patternProperties: { '^x-': text } },
    { type: 'object', patternProperties: { '^x-': number } },
    ['breaking type_changed data{"^x-"}'],
  ],
  [
    'a pattern takes names away from a map',
    { type: 'object', additionalProperties: text },
    { type: 'object', additionalProperties: false, patternProperties: { '^n': number } },
    ['breaking null_added data{}', 'breaking type_widened data{}'],
  ],
  ['a variant is added', { oneOf: [card] }, { oneOf: [card, cash] }, ['breaking variant_added data']],
  ['a variant is removed', { oneOf: [card, cash] }, { oneOf: [card] }, ['safe variant_removed data']],
  ['variants change places', { oneOf: [card, cash] }, { anyOf: [cash, card] }, []],
  [
    'a variant changes inside',
    { oneOf: [card, cash] },
    { oneOf: [object({ kind: { const: 'card' }, last4: number }, ['kind', 'last4']), cash] },
    ['breaking type_changed data.last4'],
  ],
  ['a rule is dropped', { not: { const: 1 } }, {}, ['breaking rule_dropped data']],
  ['a rule is added', {}, { not: { type: 'null' } }, []],
  [
    'what stood in one place is referred to',
    object({ a: object({ b: text }) }),
    {
      $ref: '#/$defs/whole',
      $defs: { whole: object({ a: { $ref: '#part' } }), part: { $anchor: 'part', ...object({ b: text }) } },
    },
    [],
  ],
  [
    'parts are put together',
    object({ a: text, b: text }, ['a', 'b']),
    { allOf: [object({ a: text }, ['a']), object({ b: text }, ['b'])] },
    [],
  ],
  [
    'the meaning changes',
    { ...number, 'x-semantic-version': 1 },
    { ...number, 'x-semantic-version': 2 },
    ['breaking meaning_changed data'],
  ],
  [
    'a property is deprecated',
    object({ a: text }),
    object({ a: { ...text, deprecated: true } }),
    ['safe deprecated data.a'],
  ],
  ['it is described in other words', { description: 'a' }, { description: 'b' }, ['safe description_changed data']],
  ['a name needs quotes', object({ 'a b': text }), object({}), ['breaking property_removed data["a b"]']],
  ['nothing is left', text, false, ['safe type_narrowed data']],
])('receivers are told when %s', (_what, before, now, expected) => {
  const found = schemaChanges(before, now)
  expect(expected).not.toBe('')
  expect(said(found).sort()).toEqual([...expected].sort())
  expect(found.changes.every(({ sentence }) => /^[A-Z`].*\.$/.test(sentence))).toBe(true)
})

test('what changes in one variant is told of this variant, and what changes in all of them once', () => {
  const either = (last4: unknown, amount: unknown) => ({
    type: 'object',
    properties: { amount },
    oneOf: [
      object({ kind: { const: 'card' }, last4 }, ['kind']),
      { title: 'Cash', ...object({ kind: { const: 'cash' } }, ['kind']) },
    ],
  })
  const inOne = schemaChanges(either(text, text), either(number, text))
  expect(inOne.changes).toEqual([
    {
      path: 'data.last4',
      kind: 'type_changed',
      verdict: 'breaking',
      sentence: 'In the variant with kind: "card": it was a string and is a number now.',
    },
  ])
  const inAll = schemaChanges(either(text, text), either(text, nullable))
  expect(inAll.changes.map(({ path, sentence }) => `${path} ${sentence}`)).toEqual(['data.amount It may be null now.'])
  const inTwoWays = schemaChanges(either(text, text), either({ ...text, maxLength: 4 }, nullable))
  expect(inTwoWays.changes.map(({ path, sentence }) => `${path} ${sentence}`).sort()).toEqual([
    'data.amount It may be null now.',
    'data.last4 In the variant with kind: "card": `maxLength` is 4 now.',
  ])
})

test('a variant that takes the constant of another one is a change of both', () => {
  const other = object({ kind: { const: 'cash' }, last4: text }, ['kind', 'last4'])
  const found = schemaChanges({ oneOf: [card, cash] }, { oneOf: [other] })
  expect(said(found)).toEqual(['safe property_added data.last4', 'safe variant_removed data'])
})

test('a constant that was announced to get other values is no name of a variant', () => {
  const kind = (value: string) => object({ kind: { enum: [value], 'x-extensible-enum': true } })
  const found = schemaChanges({ oneOf: [kind('card'), cash] }, { oneOf: [kind('card'), cash, kind('later')] })
  expect(said(found)).toEqual(['warning enum_value_added data.kind', 'safe enum_value_removed data.kind'])
})

test('many variants that are told apart by a constant are compared each with its own', () => {
  const many = (last: unknown) => ({
    oneOf: Array.from({ length: 64 }, (_, index) =>
      object(
        {
          kind: { const: `k${index}` },
          ...Object.fromEntries(Array.from({ length: 30 }, (_, at) => [`m${at}`, index === 7 ? last : text])),
        },
        ['kind'],
      ),
    ),
  })
  const { verdict, changes } = schemaChanges(many(text), many(number))
  expect([verdict, changes.length]).toEqual(['breaking', 30])
  expect(changes.every(({ sentence }) => sentence.startsWith('In the variant with kind: "k7": '))).toBe(true)
})

test('a change behind a recursive reference is told once, at the place where it is met first', () => {
  const tree = (value: unknown) => ({
    $ref: '#/$defs/node',
    $defs: { node: object({ value, children: { type: 'array', items: { $ref: '#/$defs/node' } } }) },
  })
  expect(said(schemaChanges(tree(text), tree(text)))).toEqual([])
  expect(said(schemaChanges(tree(text), tree(number)))).toEqual(['breaking type_changed data.value'])
})

test('two types that refer to one another are told apart from two that do not fit', () => {
  const pair = (value: unknown) => ({
    $ref: '#/$defs/a',
    $defs: { a: object({ b: { $ref: '#/$defs/b' } }), b: object({ a: { $ref: '#/$defs/a' }, value }) },
  })
  expect(said(schemaChanges(pair(text), pair(nullable)))).toEqual(['breaking null_added data.b.value'])
})

test('a change of a shared definition is told at each place that uses it', () => {
  const order = (zip: unknown) => ({
    ...object({ billing: { $ref: '#/$defs/address' }, shipping: { $ref: '#/$defs/address' } }),
    $defs: { address: object({ zip }) },
  })
  expect(said(schemaChanges(order(text), order(number)))).toEqual([
    'breaking type_changed data.billing.zip',
    'breaking type_changed data.shipping.zip',
  ])
})

test.each<[string, unknown, unknown]>([
  ['definitions that double at every step', doubling(20, text), doubling(20, number)],
  ['definitions that refer to one another, all with all', meshed(24, text), meshed(24, number)],
  ['many variants of many', variants(64, text), variants(64, number)],
  ['variants of variants of variants', product(10, text), product(10, number)],
  ['2,000 members', wide(2_000, text), wide(2_000, number)],
  ['2,000 references in a row', chain(2_000, text), chain(2_000, number)],
  ['a reference to itself', { $ref: '#' }, { anyOf: [{ $ref: '#' }, text] }],
])('hostile schemas are compared in bounded time: %s', (_what, before, now) => {
  const startedMs = performance.now()
  const { verdict, changes } = schemaChanges(before, now)
  expect([verdict, changes.length > 0]).toEqual(['breaking', true])
  expect(changes.length).toBeLessThanOrEqual(200)
  // A machine that others use may be ten times as slow.
  expect(performance.now() - startedMs).toBeLessThan(5_000)
})

test('more changes than are named still count', () => {
  const found = schemaChanges(wide(300, text), { ...object({}), description: 'no member left' })
  expect([found.verdict, found.truncated, found.changes.length]).toEqual(['breaking', true, 200])
})

function said({ changes }: ReturnType<typeof schemaChanges>): string[] {
  return changes.map(({ verdict, kind, path }) => `${verdict} ${kind} ${path}`)
}

function doubling(count: number, last: unknown) {
  const $defs: Record<string, unknown> = { [`d${count}`]: last }
  for (let index = 0; index < count; index += 1) {
    const next = { $ref: `#/$defs/d${index + 1}` }
    $defs[`d${index}`] = object({ a: next, b: next })
  }
  return { $ref: '#/$defs/d0', $defs }
}

function meshed(count: number, last: unknown) {
  const names = Array.from({ length: count }, (_, index) => `d${index}`)
  const all = Object.fromEntries(names.map((name) => [name, { anyOf: [{ $ref: `#/$defs/${name}` }, last] }]))
  return { $ref: '#/$defs/d0', $defs: Object.fromEntries(names.map((name) => [name, object(all)])) }
}

function variants(count: number, last: unknown) {
  return { anyOf: Array.from({ length: count }, (_, index) => object({ [`m${index}`]: object({ deep: last }) })) }
}

function titled(count: number) {
  return Array.from({ length: count }, (_, index) => ({ const: `v${index}`, title: `Value ${index}` }))
}

function product(count: number, last: unknown) {
  return { allOf: Array.from({ length: count }, (_, index) => ({ anyOf: [object({ [`m${index}`]: last }), cash] })) }
}

function wide(count: number, last: unknown) {
  return object(Object.fromEntries(Array.from({ length: count }, (_, index) => [`m${index}`, last])))
}

function chain(count: number, last: unknown) {
  const $defs: Record<string, unknown> = { [`d${count}`]: last }
  for (let index = 0; index < count; index += 1) $defs[`d${index}`] = { $ref: `#/$defs/d${index + 1}` }
  return { $ref: '#/$defs/d0', $defs }
}
