import { expect, test } from 'vitest'
import { eachField, type FieldContent, type SchemaField } from './fields.ts'
import { schemaFields } from './schema-fields.ts'
import { sinceVersions } from './since.ts'

const text = { type: 'string' }
const integer = { type: 'integer' }

/** As rows of a table: what is told in each, without what is empty. */
function rows(schema: unknown): string[] {
  const { root } = schemaFields(schema)
  if (root === undefined) throw new Error('there is no table')
  return [...rowOf(root, root)]
}

function* rowOf(content: FieldContent, field: Partial<SchemaField> & { label?: string }): Iterable<string> {
  const { types, constraints, values, refersTo } = content
  const words = [
    field.label === undefined ? field.path : `<${field.label}>`,
    types,
    field.required ? 'required' : '',
    ...constraints.map((one) => `(${one})`),
    values && `${values.list.map(({ value }) => JSON.stringify(value)).join('|')}${values.open ? '|…' : ''}`,
    refersTo && `→ ${refersTo}`,
  ]
  yield words.filter((word) => word !== '' && word !== undefined).join(' ')
  for (const child of content.children) yield* rowOf(child, child)
  for (const variant of content.variants) yield* rowOf(variant, variant)
}

/** The rows below `data`, of a schema that has the one member `a`. */
function rowsOfMember(schema: unknown): string[] {
  return rows({ type: 'object', properties: { a: schema } }).slice(1)
}

test.each<[string, unknown, string[]]>([
  ['a text', text, ['data.a string']],
  ['a text that may be null', { type: ['string', 'null'] }, ['data.a string or null']],
  ['null as a variant', { anyOf: [{ type: 'null' }, integer] }, ['data.a integer or null']],
  ['several types', { type: ['boolean', 'number', 'string'] }, ['data.a boolean, number or string']],
  ['anything', {}, ['data.a any value']],
  ['anything, by a boolean schema', true, ['data.a any value']],
  ['a member that must not come', false, []],
  ['the length of a text', { ...text, minLength: 1, maxLength: 64 }, ['data.a string (1 to 64 characters)']],
  ['a text that is not empty', { ...text, minLength: 1 }, ['data.a string (at least 1 character)']],
  ['a text of one length', { ...text, minLength: 3, maxLength: 3 }, ['data.a string (exactly 3 characters)']],
  [
    'a format and a pattern',
    { ...text, format: 'date-time', pattern: '^2' },
    ['data.a string (format date-time) (pattern ^2)'],
  ],
  ['the range of a number', { type: 'number', minimum: 0, exclusiveMaximum: 9 }, ['data.a number (≥ 0) (< 9)']],
  ['a multiple', { type: 'number', multipleOf: 0.01 }, ['data.a number (multiple of 0.01)']],
  [
    'the narrowest of the limits that are put together',
    { allOf: [{ type: 'number', minimum: 1 }, { minimum: 5 }, { exclusiveMinimum: 5 }] },
    ['data.a number (> 5)'],
  ],
  [
    'an encoded text',
    { ...text, contentEncoding: 'base64', contentMediaType: 'image/png' },
    ['data.a string (encoded in base64) (contains image/png)'],
  ],
  ['values of an enum', { enum: ['x', 'y'] }, ['data.a string "x"|"y"']],
  ['an enum with null', { enum: ['x', null] }, ['data.a string or null "x"']],
  ['a constant', { const: 1 }, ['data.a integer 1']],
  ['an enum that grows', { enum: ['x'], 'x-extensible-enum': true }, ['data.a string "x"|…']],
  ['an enum that is only known values', { anyOf: [{ enum: ['x'] }, text] }, ['data.a string "x"|…']],
  ['an enum that is an annotation', { ...text, 'x-extensible-enum': ['x', 'y'] }, ['data.a string "x"|"y"|…']],
  ['texts of an array', { type: 'array', items: text }, ['data.a array of strings']],
  ['items of which nothing is said', { type: 'array' }, ['data.a array']],
  [
    'what each item keeps to',
    { type: 'array', uniqueItems: true, minItems: 1, items: { ...text, maxLength: 5 } },
    ['data.a array of strings (at least 1 item) (unique items) (each item: at most 5 characters)'],
  ],
  [
    'items that may be null',
    { type: 'array', items: { type: ['integer', 'null'] } },
    ['data.a array of integers or nulls'],
  ],
  [
    'arrays of arrays',
    { type: 'array', items: { type: 'array', items: integer } },
    ['data.a array of arrays of integers'],
  ],
  [
    'members of the items',
    { type: 'array', items: { type: 'object', required: ['b'], properties: { b: text } } },
    ['data.a array of objects', 'data.a[].b string required'],
  ],
  [
    'slots of a tuple',
    { type: 'array', prefixItems: [text, integer], minItems: 1, items: { type: 'boolean' } },
    ['data.a array (at least 1 item)', 'data.a[0] string required', 'data.a[1] integer', 'data.a[] boolean'],
  ],
  ['a map', { type: 'object', additionalProperties: integer }, ['data.a map of integers']],
  [
    'a map of objects, with the names it takes',
    {
      type: 'object',
      propertyNames: { pattern: '^[a-z]+$' },
      additionalProperties: { type: 'object', properties: { b: text } },
    },
    ['data.a map of objects (names: pattern ^[a-z]+$)', 'data.a{}.b string'],
  ],
  [
    'named members beside those of a map, and those of a pattern',
    {
      type: 'object',
      properties: { b: text },
      patternProperties: { '^x-': integer },
      additionalProperties: { type: 'boolean' },
    },
    ['data.a object', 'data.a.b string', 'data.a{"^x-"} integer', 'data.a{} boolean'],
  ],
  [
    'a closed object',
    { type: 'object', properties: { b: text }, additionalProperties: false },
    ['data.a object (no other members)', 'data.a.b string'],
  ],
  [
    'a member that is only required',
    { type: 'object', required: ['b'] },
    ['data.a object', 'data.a.b any value required'],
  ],
  [
    'members that come together',
    { type: 'object', dependentRequired: { b: ['c', 'd'] } },
    ['data.a object (with b also c, d)'],
  ],
  [
    'a name that needs quotes',
    { type: 'object', properties: { 'b c': text } },
    ['data.a object', 'data.a["b c"] string'],
  ],
  [
    'parts that are put together',
    {
      allOf: [
        { type: 'object', properties: { b: text } },
        { required: ['b'], properties: { c: integer } },
      ],
    },
    ['data.a object', 'data.a.b string required', 'data.a.c integer'],
  ],
])('the table shows %s', (_what, schema, expected) => {
  expect(rowsOfMember(schema)).toEqual(expected)
})

test('variants show what all have once, and are called by title, definition or discriminator', () => {
  const payment = {
    type: 'object',
    required: ['kind'],
    properties: { amount: integer, method: text },
    oneOf: [
      { $ref: '#/$defs/card' },
      { title: 'In cash', properties: { kind: { const: 'cash' }, method: { const: 'coins' } } },
      { properties: { kind: { const: 'credit' } } },
    ],
  }
  const $defs = { card: { properties: { kind: { const: 'card' }, last4: text }, required: ['last4'] } }
  expect(rows({ ...payment, $defs })).toEqual([
    'data object required',
    'data.amount integer',
    '<card> object',
    'data.method string',
    'data.kind string required "card"',
    'data.last4 string required',
    '<In cash> object',
    'data.method string "coins"',
    'data.kind string required "cash"',
    '<credit> object',
    'data.method string',
    'data.kind string required "credit"',
  ])
  const { root } = schemaFields({ ...payment, $defs })
  expect(root?.variants.map(({ discriminator }) => discriminator)).toEqual([
    { path: 'data.kind', value: 'card' },
    { path: 'data.kind', value: 'cash' },
    { path: 'data.kind', value: 'credit' },
  ])
})

test('variants of items and of members of a map stand where the members would', () => {
  const either = {
    oneOf: [
      { title: 'A', type: 'object', properties: { a: text } },
      { title: 'B', type: 'object', properties: { b: text } },
    ],
  }
  expect(rowsOfMember({ type: 'array', items: either })).toEqual([
    'data.a array of objects',
    '<A> object',
    'data.a[].a string',
    '<B> object',
    'data.a[].b string',
  ])
  expect(rowsOfMember({ type: 'object', additionalProperties: either }).slice(2)).toEqual([
    'data.a{}.a string',
    '<B> object',
    'data.a{}.b string',
  ])
})

test('variants of a text are told apart only where they look different', () => {
  const forms = [
    { title: 'Date', ...text, format: 'date' },
    { title: 'Code', ...text, pattern: '^x' },
  ]
  expect(rowsOfMember({ anyOf: [...forms, integer] })).toEqual([
    'data.a integer or string',
    '<Date> string (format date)',
    '<Code> string (pattern ^x)',
  ])
  expect(rowsOfMember({ anyOf: [text, text, { ...text, title: 'again' }] })).toEqual(['data.a string'])
})

test("OpenAPI's discriminator names variants that have no constants", () => {
  const { root } = schemaFields({
    oneOf: [{ $ref: '#/$defs/A' }, { $ref: '#/$defs/B' }],
    discriminator: { propertyName: 'kind', mapping: { 'a-kind': '#/$defs/A' } },
    $defs: { A: { type: 'object', properties: { a: text } }, B: { type: 'object', properties: { b: text } } },
  })
  expect(root?.variants.map(({ label, discriminator }) => [label, discriminator?.value])).toEqual([
    ['A', 'a-kind'],
    ['B', 'B'],
  ])
})

test('a recursion ends with the path of what comes again', () => {
  const node = {
    type: 'object',
    properties: {
      value: text,
      children: { type: 'array', items: { $ref: '#/$defs/node', description: 'A child' } },
      parent: { anyOf: [{ $ref: '#/$defs/node' }, { type: 'null' }] },
      byName: { type: 'object', additionalProperties: { $ref: '#' } },
      also: { allOf: [{ $ref: '#/$defs/node' }] },
    },
  }
  expect(rows({ $ref: '#/$defs/node', $defs: { node } })).toEqual([
    'data object required',
    'data.value string',
    'data.children array of objects → data',
    'data.parent object or null → data',
    'data.byName map of objects → data',
    'data.also object → data',
  ])
  const dynamic = { $dynamicAnchor: 'node', type: 'object', properties: { next: { $dynamicRef: '#node' } } }
  expect(rows(dynamic)).toEqual(['data object required', 'data.next object → data'])
})

test('two definitions that refer to one another end where the first comes again', () => {
  const a = { type: 'object', properties: { b: { $ref: '#/$defs/b' } } }
  const b = { type: 'object', properties: { a: { $ref: '#/$defs/a' } } }
  expect(rowsOfMember({ $ref: '#/$defs/a', $defs: { a, b } })).toEqual(['data.a any value'])
  const whole = { type: 'object', properties: { x: { $ref: '#/$defs/a' } }, $defs: { a, b } }
  expect(rows(whole)).toEqual([
    'data object required',
    'data.x object',
    'data.x.b object',
    'data.x.b.a object → data.x',
  ])
})

test('texts of the author, marks, defaults and examples are taken over as they are', () => {
  const html = '<script>alert(1)</script>'
  const email = {
    $ref: '#/$defs/email',
    title: 'E-mail',
    'x-personal-data': true,
    deprecated: true,
    readOnly: true,
    default: null,
    examples: ['a@b.example', 1, 2, 3, 4, 5],
  }
  const tags = { type: 'array', items: { ...text, description: 'A tag', 'x-sensitive': 'internal' } }
  const schema = {
    type: 'object',
    properties: { email, tags },
    $defs: { email: { ...text, title: 'Any', description: html } },
  }
  const [first, second] = schemaFields(schema).root?.children ?? []
  expect(first).toMatchObject({
    title: 'E-mail',
    description: html,
    deprecated: true,
    default: { value: null },
    examples: ['a@b.example', 1, 2, 3, 4],
    sensitivity: ['personal data'],
  })
  expect(second).toMatchObject({ description: 'A tag', sensitivity: ['sensitive'], default: undefined })
})

test('values have the words that their branches give them, and a huge list is cut and counted', () => {
  const branches = Array.from({ length: 200 }, (_, index) => ({
    const: `v${index}`,
    title: `V ${index}`,
    description: 'd',
  }))
  const { root, warnings } = schemaFields({ oneOf: branches })
  expect(root?.values).toMatchObject({ more: 100, open: false })
  expect(root?.values?.list[99]).toEqual({ value: 'v99', title: 'V 99', description: 'd' })
  expect([root?.variants, warnings]).toEqual([[], []])
})

test.each<[string, unknown, string[]]>([
  [
    'a rule that has no words',
    { not: { const: 1 }, if: {}, contains: {} },
    [
      'data.a: the rule `not` is not shown in the table.',
      'data.a: the rule `if` is not shown in the table.',
      'data.a: the rule `contains` is not shown in the table.',
    ],
  ],
  [
    'a reference that leads nowhere',
    { $ref: '#/$defs/none' },
    ['data.a: refers to "#/$defs/none", which is nowhere in the schema.'],
  ],
  [
    'a reference to itself',
    { $ref: '#/properties/a' },
    ['data.a: has too many variants, or refers to itself without end; what it is made of is not shown.'],
  ],
  [
    'more variants than can be taken apart',
    { anyOf: Array.from({ length: 65 }, (_, index) => object({ [`m${index}`]: text })) },
    ['data.a: has too many variants, or refers to itself without end; what it is made of is not shown.'],
  ],
])('a warning names the place of %s, and the other fields are shown', (_what, a, expected) => {
  const { root, renderable, warnings } = schemaFields(object({ a, b: text }))
  expect([renderable, root?.children.map(({ name }) => name), warnings]).toEqual([true, ['a', 'b'], expected])
})

function object(properties: object) {
  return { type: 'object', properties }
}

function doubling(count: number, next: (name: string) => unknown): unknown {
  const $defs: Record<string, unknown> = { [`d${count}`]: text }
  for (let index = 0; index < count; index += 1) $defs[`d${index}`] = next(`#/$defs/d${index + 1}`)
  return { $ref: '#/$defs/d0', $defs }
}

function nested(levels: number): unknown {
  let schema: unknown = text
  for (let level = 0; level < levels; level += 1) schema = { type: 'array', items: schema }
  return schema
}

test.each<[string, unknown, RegExp]>([
  [
    'members that double at every step',
    doubling(20, ($ref) => object({ a: { $ref }, b: { $ref } })),
    /more than 2000 fields/,
  ],
  ['parts that double at every step', doubling(30, ($ref) => ({ allOf: [{ $ref }, { $ref }] })), /too many steps/],
  ['arrays without end', nested(40), /more than 32 levels/],
  ['arrays deeper than the stack', nested(20_000), /levels|too deeply/],
  [
    '3,000 members',
    object(Object.fromEntries(Array.from({ length: 3_000 }, (_, index) => [`m${index}`, text]))),
    /more than 2000 fields/,
  ],
])('a schema that is too much for a table says why, in bounded time: %s', (_what, schema, reason) => {
  const startedMs = performance.now()
  const { root, renderable, warnings } = schemaFields(schema)
  expect([root, renderable, warnings.length]).toEqual([undefined, false, 1])
  expect(warnings[0]).toMatch(reason)
  // A machine that others use may be ten times as slow.
  expect(performance.now() - startedMs).toBeLessThan(5_000)
})

test.each<[string, unknown]>([
  ['null', null],
  ['a text', 'schema'],
  [
    'keywords of other forms',
    JSON.parse('{"properties":7,"required":"a","items":3,"enum":null,"oneOf":[3,null,"a"],"allOf":{},"$ref":9}'),
  ],
  [
    'names of what every object inherits',
    JSON.parse(
      '{"properties":{"__proto__":{"type":"string"},"constructor":{"$ref":"#/toString"}},"required":["toString",7]}',
    ),
  ],
  ['a pattern that is none', { patternProperties: { '(((': 3 } }],
  [
    'variants of variants of variants',
    { allOf: Array.from({ length: 10 }, () => ({ anyOf: [object({ a: text }), object({ b: text })] })) },
  ],
])('whatever a schema is, there is an answer: %s', (_what, schema) => {
  const { root, renderable } = schemaFields(schema)
  expect([root !== undefined, renderable]).toEqual([true, true])
})

test('a member that is called as what every object inherits is a field like any other', () => {
  const schema = JSON.parse(
    '{"type":"object","properties":{"__proto__":{"type":"string"},"constructor":{"type":"integer"}}}',
  )
  expect(rows(schema)).toEqual(['data object required', 'data.__proto__ string', 'data.constructor integer'])
})

test('since which version a field is there is told for all fields, without the versions before a gap', () => {
  const versions = [
    { version: 1, schema: object({ a: text, b: text }) },
    { version: 2, schema: object({ a: text, c: { type: 'array', items: object({ d: text }) } }) },
    { version: 3, schema: object({ a: integer, b: text, c: { type: 'array', items: object({ d: text, e: text }) } }) },
  ]
  const since = sinceVersions(versions)
  const { root } = schemaFields(versions[2]?.schema, { since })
  const told = root && [...eachField(root)].map((field) => [field.path, field.since])
  expect(told).toEqual([
    ['data', 1],
    ['data.a', 1],
    ['data.b', 3],
    ['data.c', 2],
    ['data.c[].d', 2],
    ['data.c[].e', 3],
  ])
})

test('nothing is said of when a field came while one of the versions cannot be read', () => {
  const versions = [
    { version: 1, schema: nested(40) as Record<string, unknown> },
    { version: 2, schema: object({ a: text }) },
  ]
  expect(sinceVersions(versions).size).toBe(0)
})
