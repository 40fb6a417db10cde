import { Ajv2020 } from 'ajv/dist/2020.js'
import { fullFormats } from 'ajv-formats/dist/formats.js'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { eachField } from '../schema-fields/fields.ts'
import { schemaFields } from '../schema-fields/schema-fields.ts'
import { anySchema } from '../testing/any-schema.ts'
import type { Examples } from './examples.ts'
import { examplesOf } from './examples-of.ts'

const text = { type: 'string' }

function madeFor(schema: object, examples: unknown[] = []): Examples {
  return examplesOf({ event_type: 'invoice.paid', version: 1, schema: { ...schema }, examples })
}

/** By name. */
function valuesOf({ examples }: Examples): Record<string, unknown> {
  return Object.fromEntries(examples.map(({ name, value }) => [name, value]))
}

function object(properties: object, required: string[] = []) {
  return { type: 'object', properties, required }
}

test('examples that the author gave are shown as they are, and nothing is made up', () => {
  const schema = object({ total: { type: 'integer' } })
  expect(madeFor(schema, [{ total: 1 }])).toEqual({
    examples: [{ name: 'Example', value: { total: 1 }, generated: false }],
    warnings: [],
  })
  const { examples } = madeFor({ ...schema, examples: [{ total: 2 }, { total: 1 }] }, [{ total: 1 }])
  expect(examples.map(({ name, value }) => [name, value])).toEqual([
    ['Example 1', { total: 1 }],
    ['Example 2', { total: 2 }],
  ])
})

test('a given example that does not fit is left out with the reason; when none is left, some are made up', () => {
  const schema = object({ total: { type: 'integer' } })
  expect(madeFor(schema, [{ total: 1 }, { total: 'much' }])).toEqual({
    examples: [{ name: 'Example', value: { total: 1 }, generated: false }],
    warnings: ['Example 2 does not fit the schema and is left out: /total must be integer.'],
  })
  const { examples, warnings } = madeFor(schema, [{ total: 'much' }])
  expect([examples.map(({ generated }) => generated), warnings.length]).toEqual([[true, true], 1])
})

test('a schema that cannot be used has no examples, and says why', () => {
  expect(madeFor({ $ref: 'https://evil.example/schema.json' }, [1])).toEqual({
    examples: [],
    warnings: [
      'There is no example. The schema cannot be used. /schema/$ref: must refer to a place in this schema: #/$defs/…, so its examples cannot be checked and are left out.',
    ],
  })
})

test('values are those that a reader expects by the name and the format of a field', () => {
  const customer = object({
    id: text,
    email: text,
    firstName: text,
    phone: text,
    address: object({ city: text, country: { ...text, pattern: '^[A-Z]{2}$' } }),
  })
  const line = object({ sku: text, quantity: { type: 'integer', minimum: 2 } })
  const schema = object({
    id: text,
    customer_id: { ...text, format: 'uuid' },
    total: { type: 'number', multipleOf: 0.01 },
    currency: { ...text, pattern: '^[a-z]{3}$' },
    created_at: { ...text, format: 'date-time' },
    paidAt: { type: 'integer' },
    customer,
    lines: { type: 'array', items: line },
    labels: { type: 'object', additionalProperties: text },
    status: { enum: ['paid', 'open'] },
    number: { ...text, pattern: '^INV-[0-9]{4}$' },
    note: { ...text, examples: ['Thanks'] },
    retries: { type: 'integer', default: 3 },
  })
  expect(valuesOf(madeFor(schema))).toEqual({
    'All fields': {
      id: expect.stringMatching(/^inv_[0-9a-z]{14}$/),
      customer_id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/),
      total: 4900,
      currency: 'eur',
      created_at: '2026-01-15T09:30:00Z',
      paidAt: 1_768_469_400,
      customer: {
        id: expect.stringMatching(/^cus_/),
        email: 'ada@example.com',
        firstName: 'Ada',
        phone: '+12025550142',
        address: { city: 'Berlin', country: 'DE' },
      },
      lines: [
        { sku: 'NB-A5-001', quantity: 2 },
        { sku: 'PC-HB-010', quantity: 3 },
      ],
      labels: { key_1: 'Example label', key_2: 'Another label' },
      status: 'paid',
      number: expect.stringMatching(/^INV-[0-9]{4}$/),
      note: 'Thanks',
      retries: 3,
    },
    Smallest: {},
  })
})

test('the same version has the same examples, and another one has others', () => {
  const schema = object({ id: text, code: { ...text, pattern: '^[A-Z]{12}$' } })
  expect(madeFor(schema)).toEqual(madeFor(structuredClone(schema)))
  expect(valuesOf(examplesOf({ event_type: 'invoice.paid', version: 2, schema, examples: [] }))).not.toEqual(
    valuesOf(madeFor(schema)),
  )
})

test('the ids of a version are the same on every machine and in every year', () => {
  expect(valuesOf(madeFor(object({ id: text }, ['id'])))).toEqual({
    'All fields': { id: 'inv_z0dqyt3qar2n3w' },
    Smallest: { id: 'inv_ctbcv863k74drs' },
  })
})

test('the smallest has only what must come', () => {
  const schema = object({ id: text, parent: { type: ['object', 'null'] }, tags: { type: 'array', items: text } }, [
    'parent',
    'tags',
  ])
  expect(valuesOf(madeFor(schema))['Smallest']).toEqual({ parent: null, tags: [] })
})

test('a recursion is shown once and ends', () => {
  const node = object(
    {
      name: text,
      children: { type: 'array', items: { $ref: '#/$defs/node' } },
      parent: { anyOf: [{ $ref: '#/$defs/node' }, { type: 'null' }] },
    },
    ['name'],
  )
  const all = valuesOf(madeFor({ $ref: '#/$defs/node', $defs: { node } }))['All fields']
  const inner = { children: [], parent: null }
  expect(all).toMatchObject({ name: 'Ada Lovelace', children: [inner, inner], parent: inner })
})

test('a recursion without end has no example, and says so', () => {
  const node = object({ next: { $ref: '#/$defs/node' } }, ['next'])
  expect(madeFor({ $ref: '#/$defs/node', $defs: { node } })).toEqual({
    examples: [],
    warnings: ['There is no example: no value fits at data.next, or only one without end.'],
  })
})

test('each variant of the data has an example, at the root and where a member tells them apart', () => {
  const card = object({ kind: { const: 'card' }, last4: text }, ['kind', 'last4'])
  const cash = object({ kind: { const: 'cash' }, till: { type: 'integer' } }, ['kind'])
  const either = { oneOf: [card, cash] }
  const expected = [
    { kind: 'card', last4: '4242' },
    { kind: 'cash', till: 1 },
  ]
  const atRoot = valuesOf(madeFor(either))
  expect([atRoot['Variant card'], atRoot['Variant cash']]).toEqual(expected)
  const below = valuesOf(madeFor(object({ payment: either })))
  expect([below['Variant card'], below['Variant cash']]).toEqual(expected.map((payment) => ({ payment })))
  const inItems = valuesOf(madeFor(object({ payments: { type: 'array', items: either, maxItems: 1 } })))
  expect([inItems['Variant card'], inItems['Variant cash']]).toEqual(
    expected.map((payment) => ({ payments: [payment] })),
  )
  expect(Object.keys(below)).toEqual(['Variant card', 'Variant cash', 'Smallest'])
})

test('variants that cannot be told apart have no example, and say so', () => {
  const schema = {
    oneOf: [
      { title: 'A', ...object({ a: text }) },
      { title: 'B', ...object({ b: text }) },
    ],
  }
  expect(madeFor(schema)).toEqual({
    examples: [],
    warnings: [
      'There is no example of Variant A: no value was found that fits the schema.',
      'There is no example of Variant B: no value was found that fits the schema.',
      'There is no example: no value was found that fits the schema.',
    ],
  })
})

test('there are examples of a bounded number of variants', () => {
  const oneOf = Array.from({ length: 40 }, (_, index) => object({ kind: { const: `k${index}` } }, ['kind']))
  expect(madeFor({ oneOf }).examples.map(({ name }) => name)).toEqual(
    Array.from({ length: 8 }, (_, index) => `Variant k${index}`),
  )
})

test('a field for which no value is found is left out by name, and the others are shown', () => {
  const impossible = { type: 'array', uniqueItems: true, minItems: 3, items: { type: 'boolean' } }
  const { examples, warnings } = madeFor(object({ a: object({ name: text, b: impossible }) }))
  expect(examples[0]).toEqual({ name: 'Example', value: { a: { name: 'Ada Lovelace' } }, generated: true })
  expect(warnings).toEqual(['The examples are without /a/b: no value was found that fits.'])
})

test.each<[string, object, unknown]>([
  [
    'a condition',
    {
      ...object({ kind: { enum: ['a', 'b'] } }, ['kind']),
      if: { properties: { kind: { const: 'a' } } },
      // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
      then: { required: ['x'] },
    },
    { kind: 'a' },
  ],
  [
    'what an array contains',
    { type: 'array', items: { type: 'integer' }, contains: { const: 7 }, minContains: 2 },
    [7, 7],
  ],
  ['a tuple', { type: 'array', prefixItems: [{ const: 1 }, { const: 2 }], items: false }, [1, 2]],
  [
    'names of a map',
    { type: 'object', minProperties: 1, propertyNames: { enum: ['x'] }, additionalProperties: { const: 1 } },
    { x: 1 },
  ],
  [
    'members that come together',
    { ...object({ a: { const: 1 } }), dependentRequired: { a: ['b'] }, additionalProperties: { const: 2 } },
    { a: 1, b: 2 },
  ],
  [
    'members that must not come',
    { ...object({ a: { const: 1 }, b: { const: 2 } }), not: { required: ['b'] } },
    { a: 1 },
  ],
  ['no more members than may come', { ...object({ a: { const: 1 }, b: { const: 2 } }), maxProperties: 1 }, { a: 1 }],
  ['a huge list of values', { enum: Array.from({ length: 5_000 }, (_, index) => index) }, 0],
  [
    'a name that every object inherits',
    JSON.parse('{"type":"object","required":["__proto__"],"properties":{"__proto__":{"const":1}}}'),
    JSON.parse('{"__proto__":1}'),
  ],
])('a value is found for %s', (_what, schema, expected) => {
  const [first] = madeFor(schema).examples
  expect(first?.value).toEqual(atLeast(expected))
})

/** An object may have more members. */
function atLeast(expected: unknown): unknown {
  return expected !== null && typeof expected === 'object' && !Array.isArray(expected)
    ? expect.objectContaining(expected)
    : expected
}

const doubled = (count: number) => {
  const $defs: Record<string, unknown> = { [`d${count}`]: text }
  for (let index = 0; index < count; index += 1) {
    const next = { $ref: `#/$defs/d${index + 1}` }
    $defs[`d${index}`] = object({ a: next, b: next })
  }
  return { $ref: '#/$defs/d0', $defs }
}
const meshed = (count: number, required: boolean) => {
  const names = Array.from({ length: count }, (_, index) => `d${index}`)
  const all = Object.fromEntries(names.map((name) => [name, { anyOf: [{ $ref: `#/$defs/${name}` }, text] }]))
  return {
    $ref: '#/$defs/d0',
    $defs: Object.fromEntries(names.map((name) => [name, object(all, required ? names : [])])),
  }
}

test.each<[string, object]>([
  ['members that double at every step', doubled(20)],
  ['definitions that refer to one another, all with all', meshed(24, false)],
  ['definitions that need one another, all with all', meshed(24, true)],
  ['a text of a million million characters', object({ a: { ...text, minLength: 1e12 } })],
  ['as many items', object({ a: { type: 'array', minItems: 1e12 } })],
  ['as many members', object({ a: { type: 'object', minProperties: 1e12 } })],
  [
    'a pattern that backtracks',
    object({ a: { ...text, pattern: '^(([a-z])+.)+[A-Z]([a-z])+$', minLength: 60 }, id: text }),
  ],
  ['patterns that are long', object({ a: { ...text, pattern: '^([a-z]{100}){10}$' }, id: text })],
  [
    'conditions that double',
    {
      allOf: Array.from({ length: 40 }, (_, index) => ({
        if: { required: [`a${index}`] },
        // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
        then: { required: [`a${index + 1}`] },
      })),
    },
  ],
])('whatever a schema asks for, making examples ends: %s', { timeout: 20_000 }, (_what, schema) => {
  const startedMs = performance.now()
  const { examples, warnings } = madeFor(schema)
  expect(examples.length + warnings.length).toBeGreaterThan(0)
  // A machine that others use may be ten times as slow.
  expect(performance.now() - startedMs).toBeLessThan(15_000)
})

test('for any schema the table ends within its limits, and every example fits by another validator', {
  timeout: 60_000,
}, () => {
  const ajv = new Ajv2020({ strict: false, logger: false, ownProperties: true })
  for (const name of ['date-time', 'email', 'uuid', 'uri', 'ipv6'] as const) ajv.addFormat(name, fullFormats[name])
  const met = { examples: 0, none: 0, tables: 0 }
  fc.assert(
    fc.property(anySchema, (schema) => {
      const { root, renderable, warnings } = schemaFields(schema)
      expect([renderable, warnings.length > 0 || renderable]).toEqual([root !== undefined, true])
      if (root !== undefined) {
        const fields = [...eachField(root)]
        expect(fields.length).toBeLessThanOrEqual(2_000)
        expect(fields.every(({ path }) => path.startsWith('data'))).toBe(true)
        met.tables += 1
      }
      const made = madeFor(schema)
      expect(madeFor(structuredClone(schema))).toEqual(made)
      expect(made.examples.length + made.warnings.length).toBeGreaterThan(0)
      if (made.examples.length === 0) {
        met.none += 1
        return
      }
      met.examples += 1
      const validate = ajv.compile(schema)
      for (const { value } of made.examples) {
        // What a receiver reads is JSON.
        if (!validate(JSON.parse(JSON.stringify(value)))) throw new Error(JSON.stringify({ schema, value }, null, 1))
      }
    }),
    { numRuns: 100 },
  )
  // The property is only worth something when most schemas, contradictory ones among them, have a table (all of 400 had)
  // and an example (70 of a hundred, give or take 5).
  expect(met.tables).toBeGreaterThan(90)
  expect(met.examples).toBeGreaterThan(40)
})
