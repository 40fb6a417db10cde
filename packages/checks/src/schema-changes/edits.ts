/**
 * What an author does to a schema: each rule of what breaks receivers, in both directions, as a pair of schemas, with
 * data that fits the second one. And places in a schema at which it may be done, each with what the data looks like then.
 */
import type { ChangeKind, ChangeVerdict } from '@posthorn/contract'
import type { Judgement } from './oracle.ts'

export type Schema = { readonly [keyword: string]: unknown }

export type Edit = {
  readonly name: string
  readonly before: Schema
  readonly now: Schema
  readonly kind: ChangeKind
  readonly verdict: ChangeVerdict
  /** Fits the schema now. */
  readonly data: unknown
  /** Whether a validator of the schema before refuses it. */
  readonly refused: boolean
  /** Whether it is about null: where that is taken anyway, nothing changes. */
  readonly isOfNull?: true
  /** What the other library says; null where it was seen to have no opinion, or another one in some places. */
  readonly judgement: Judgement | null
}

const text: Schema = { type: 'string' }

export function object(properties: Schema, required: readonly string[] = [], more: Schema = {}): Schema {
  return { type: 'object', properties, required, ...more }
}

export function form(kind: string, inner: Schema): Schema {
  return object({ kind: { const: kind }, inner }, ['kind', 'inner'])
}

type Told = Pick<Edit, 'kind' | 'verdict' | 'data' | 'refused' | 'judgement' | 'isOfNull'>

function edit(name: string, before: Schema, now: Schema, told: Told): Edit {
  return { name, before, now, ...told }
}

/** What breaks code, and refuses the data, in the eyes of all three. */
function breaking(kind: ChangeKind, data: unknown, more: Partial<Told> = {}): Told {
  return { kind, verdict: 'breaking', data, refused: true, judgement: 'incompatible', ...more }
}

/** What no receiver need know of. */
function safe(kind: ChangeKind, data: unknown, more: Partial<Told> = {}): Told {
  return { kind, verdict: 'safe', data, refused: false, judgement: 'compatible', ...more }
}

function warning(kind: ChangeKind, data: unknown, more: Partial<Told> = {}): Told {
  return { ...breaking(kind, data), verdict: 'warning', ...more }
}

/** A limit by its looser and its tighter form, with data of which the first fits both and the second only the looser. */
const limits: readonly [name: string, type: string, looser: unknown, tighter: unknown, both: unknown, one: unknown][] =
  [
    ['minLength', 'string', 1, 2, 'abc', 'a'],
    ['maxLength', 'string', 3, 2, 'a', 'abc'],
    ['minimum', 'number', 1, 2, 3, 1],
    ['maximum', 'number', 9, 8, 3, 9],
    ['exclusiveMinimum', 'number', 1, 2, 3, 2],
    ['exclusiveMaximum', 'number', 9, 8, 3, 8],
    ['multipleOf', 'integer', 2, 4, 8, 6],
    ['minItems', 'array', 1, 2, [1, 2], [1]],
    ['maxItems', 'array', 3, 2, [1], [1, 2, 3]],
    ['minProperties', 'object', 1, 2, { a: 1, b: 1 }, { a: 1 }],
    ['maxProperties', 'object', 3, 2, { a: 1 }, { a: 1, b: 1, c: 1 }],
  ]

/** A rule that is compared as a whole, with data that keeps to it and data that does not. */
const rules: readonly [name: string, type: string, rule: Schema, keeps: unknown, breaks: unknown][] = [
  ['not', 'string', { not: { const: 'a' } }, 'b', 'a'],
  // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
  ['if', 'object', { if: { required: ['a'] }, then: { required: ['b'] } }, { a: 1, b: 1 }, { a: 1 }],
  ['uniqueItems', 'array', { uniqueItems: true }, [1, 2], [1, 1]],
  ['contains', 'array', { contains: { const: 1 } }, [1], [2]],
  ['propertyNames', 'object', { propertyNames: { maxLength: 1 } }, { a: 1 }, { ab: 1 }],
  ['dependentRequired', 'object', { dependentRequired: { a: ['b'] } }, { a: 1, b: 1 }, { a: 1 }],
  ['dependentSchemas', 'object', { dependentSchemas: { a: { required: ['b'] } } }, { a: 1, b: 1 }, { a: 1 }],
]

export const edits: readonly Edit[] = [
  edit('an optional property is added', object({ a: text }), object({ a: text, b: text }), safe('property_added', { b: '' })),
  edit('a required property is added', object({}), object({ b: text }, ['b']), safe('property_added', { b: '' })),
  edit('a property is added to a closed object', object({}, [], { additionalProperties: false }), object({ b: text }, [], { additionalProperties: false }), warning('property_added', { b: '' })),
  // What no longer has a type of its own may be anything.
  edit('an optional property is removed', object({ a: text }), object({}), breaking('property_removed', { a: 1 })),
  edit('a required property is removed', object({ a: text }, ['a']), object({}), breaking('property_removed', {})),
  edit('a required property becomes optional', object({ a: text }, ['a']), object({ a: text }), breaking('property_optional', {})),
  edit('an optional property becomes required', object({ a: text }), object({ a: text }, ['a']), safe('property_required', { a: '' })),
  edit('a type changes', text, { type: 'boolean' }, breaking('type_changed', true)),
  edit('a type is added', text, { type: ['string', 'boolean'] }, breaking('type_widened', true)),
  edit('a type is removed', { type: ['string', 'boolean'] }, text, safe('type_narrowed', '')),
  edit('a whole number may have a fraction', { type: 'integer' }, { type: 'number' }, breaking('type_widened', 1.5)),
  edit('a number is a whole one', { type: 'number' }, { type: 'integer' }, safe('type_narrowed', 1)),
  edit('null is added', text, { type: ['string', 'null'] }, breaking('null_added', null, { isOfNull: true })),
  edit('null is added beside a branch', text, { anyOf: [text, { type: 'null' }] }, breaking('null_added', null, { isOfNull: true })),
  edit('null is removed', { type: ['string', 'null'] }, text, safe('null_removed', '', { isOfNull: true })),
  edit('a value is added to an enum', { enum: ['a'] }, { enum: ['a', 'b'] }, breaking('enum_value_added', 'b')),
  edit('a constant gets a second value', { const: 'a' }, { enum: ['a', 'b'] }, breaking('enum_value_added', 'b')),
  edit('a value is removed from an enum', { enum: ['a', 'b'] }, { enum: ['a'] }, safe('enum_value_removed', 'a')),
  edit('a value is added to an enum that was announced to grow', { enum: ['a'], 'x-extensible-enum': true }, { enum: ['a', 'b'], 'x-extensible-enum': true }, warning('enum_value_added', 'b')),
  edit('an enum is given up', { type: 'string', enum: ['a'] }, text, breaking('values_unlimited', 'b')),
  edit('an enum is introduced', text, { type: 'string', enum: ['a'] }, safe('values_limited', 'a')),
  edit('a variant is added', { oneOf: [form('card', text)] }, { oneOf: [form('card', text), form('cash', text)] }, breaking('variant_added', { kind: 'cash', inner: '' })),
  edit('a third variant is added', { oneOf: [form('card', text), form('cash', text)] }, { oneOf: [form('card', text), form('cash', text), form('coin', text)] }, breaking('variant_added', { kind: 'coin', inner: '' })),
  edit('a variant is removed', { oneOf: [form('card', text), form('cash', text), form('coin', text)] }, { oneOf: [form('card', text), form('cash', text)] }, safe('variant_removed', { kind: 'card', inner: '' })),
  edit('a member of one variant changes', { oneOf: [form('card', text), form('cash', text)] }, { oneOf: [form('card', { type: 'boolean' }), form('cash', text)] }, breaking('type_changed', { kind: 'card', inner: true })),
  edit('a discriminator has another value', { oneOf: [form('card', text), form('cash', text)] }, { oneOf: [form('card', text), form('coin', text)] }, breaking('variant_added', { kind: 'coin', inner: '' })),
  edit('a pattern changes', { type: 'string', pattern: '^a' }, { type: 'string', pattern: '^[ab]' }, warning('pattern_changed', 'b', { judgement: null })),
  edit('a pattern is dropped', { type: 'string', pattern: '^a' }, text, warning('pattern_changed', 'b')),
  edit('a format is dropped', { type: 'string', format: 'date' }, text, warning('format_changed', '', { refused: false, judgement: 'compatible' })),
  edit('the meaning changes', { type: 'string', 'x-semantic-version': 1 }, { type: 'string', 'x-semantic-version': 2 }, breaking('meaning_changed', '', { refused: false, judgement: 'compatible' })),
  edit('it is told to go', text, { type: 'string', deprecated: true }, safe('deprecated', '')),
  edit('it is described in other words', { type: 'string', description: 'a' }, { type: 'string', description: 'b' }, safe('description_changed', '')),
  ...limits.flatMap(([name, type, looser, tighter, both, one]) => [
    edit(`${name} is relaxed`, { type, [name]: tighter }, { type, [name]: looser }, warning('limit_relaxed', one, name === 'multipleOf' ? { judgement: null } : {})),
    edit(`${name} is dropped`, { type, [name]: tighter }, { type }, warning('limit_relaxed', one, name === 'multipleOf' ? { judgement: null } : {})),
    // Of multiples nothing is told then.
    ...(name === 'multipleOf' ? [] : [edit(`${name} is tightened`, { type, [name]: looser }, { type, [name]: tighter }, safe('limit_tightened', both))]),
  ]),
  ...rules.map(([name, type, rule, _keeps, breaks]) =>
    edit(`the rule ${name} is dropped`, { type, ...rule }, { type }, breaking('rule_dropped', breaks, { judgement: null })),
  ),
] // biome-ignore format: one edit a line

/** Rules that are added say nothing to receivers, and are told as no change. */
export const addedRules: readonly Pick<Edit, 'name' | 'before' | 'now' | 'data'>[] = rules.map(
  ([name, type, rule, keeps]) => ({
    name: `the rule ${name} is added`,
    before: { type },
    now: { type, ...rule },
    data: keeps,
  }),
)

/** A part of a schema around another one, with the definitions that it refers to, and the data around its data. */
export type Place = {
  readonly name: string
  /** What is put in front of the path of a change further in. */
  readonly path: string
  /** @param name of a definition that nobody else has */
  around(inner: Schema, name: string): { schema: Schema; $defs?: Schema }
  data(inner: unknown): unknown
}

export const places: readonly Place[] = [
  { name: 'optional member', path: '.m', around: (m) => ({ schema: object({ m }) }), data: (m) => ({ m }) },
  { name: 'required member', path: '.m', around: (m) => ({ schema: object({ m }, ['m']) }), data: (m) => ({ m }) },
  { name: 'item', path: '[]', around: (items) => ({ schema: { type: 'array', items } }), data: (item) => [item] },
  {
    name: 'slot of a tuple',
    path: '[1]',
    around: (slot) => ({ schema: { type: 'array', prefixItems: [text, slot] } }),
    data: (slot) => ['', slot],
  },
  {
    name: 'member of a map',
    path: '{}',
    around: (one) => ({ schema: { type: 'object', additionalProperties: one } }),
    data: (one) => ({ any: one }),
  },
  {
    name: 'member by a pattern',
    path: '{"^m"}',
    around: (one) => ({ schema: { type: 'object', patternProperties: { '^m': one } } }),
    data: (one) => ({ m1: one }),
  },
  {
    name: 'variant',
    path: '.inner',
    around: (inner) => ({ schema: { oneOf: [form('card', inner), form('cash', text)] } }),
    data: (inner) => ({ kind: 'card', inner }),
  },
  {
    name: 'definition that is referred to twice',
    path: '.first',
    around: (inner, name) => ({
      schema: object({ first: { $ref: `#/$defs/${name}` }, second: { $ref: `#/$defs/${name}` } }),
      $defs: { [name]: inner },
    }),
    data: (inner) => ({ first: inner }),
  },
  {
    name: 'recursion',
    path: '.value',
    around: (value, name) => ({
      schema: { $ref: `#/$defs/${name}` },
      $defs: { [name]: object({ value, children: { type: 'array', items: { $ref: `#/$defs/${name}` } } }) },
    }),
    data: (value) => ({ children: [{ value }] }),
  },
  { name: 'part of allOf', path: '', around: (part) => ({ schema: { allOf: [part] } }), data: (part) => part },
  {
    name: 'branch beside null',
    path: '',
    around: (branch) => ({ schema: { anyOf: [branch, { type: 'null' }] } }),
    data: (branch) => branch,
  },
]

/** The schema in these places, the outermost first. */
export function schemaAt(all: readonly Place[], inner: Schema): Schema {
  let schema = inner
  let $defs: Schema = {}
  for (const [index, place] of all.toReversed().entries()) {
    const made = place.around(schema, `d${index}`)
    schema = made.schema
    $defs = { ...$defs, ...made.$defs }
  }
  return { ...schema, $defs }
}

export function dataAt(all: readonly Place[], inner: unknown): unknown {
  return all.reduceRight((data, place) => place.data(data), inner)
}
