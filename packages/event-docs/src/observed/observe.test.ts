import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Observed, type ObservedField, observe, observedFieldsMax, undeclaredNamesMax } from './observe.ts'

type Schema = Readonly<Record<string, unknown>>

function fieldAt(observed: Observed, path: string): ObservedField {
  const field = observed.fields.find((one) => one.path === path)
  if (field === undefined) throw new Error(`${path} is not told of`)
  return field
}

function found({ fields }: Observed): Record<string, readonly string[]> {
  return Object.fromEntries(fields.flatMap(({ path, findings }) => (findings.length > 0 ? [[path, findings]] : [])))
}

const order = {
  type: 'object',
  required: ['id', 'status'],
  properties: {
    id: { type: 'string' },
    status: { enum: ['open', 'paid', 'void'] },
    customer: { $ref: '#/$defs/customer' },
    lines: { type: 'array', items: { type: 'object', properties: { total: { type: 'integer' } } } },
    labels: { type: 'object', additionalProperties: { type: 'string' } },
  },
  $defs: { customer: { type: 'object', properties: { name: { type: 'string' }, vat: { type: ['string', 'null'] } } } },
}

test('what came and is not declared, what never came, what is missing, other types and other values are found', () => {
  const observed = observe(order, [
    { id: 'a', status: 'paid', customer: { name: 'Ada', vat: null }, lines: [{ total: 1 }, { total: 1.5, tax: 2 }] },
    { id: 'b', status: 'refunded', customer: { name: 'Bob' }, lines: [] },
    { id: 3, lines: null },
  ])
  expect(found(observed)).toEqual({
    'data.id': ['undeclared_type'],
    'data.status': ['required_missing', 'outside_list'],
    'data.lines': ['undeclared_type'],
    'data.lines[].total': ['undeclared_type'],
    'data.lines[].tax': ['undeclared'],
    'data.labels': ['never_seen'],
  })
  expect(fieldAt(observed, 'data.status')).toMatchObject({
    events: 2,
    parentEvents: 3,
    missingEvents: 1,
    outsideEvents: 1,
    untoldEvents: 0,
    values: [
      { value: 'refunded', declared: false, events: 1 },
      { value: 'paid', declared: true, events: 1 },
      { value: 'open', declared: true, events: 0 },
      { value: 'void', declared: true, events: 0 },
    ],
  })
  expect(fieldAt(observed, 'data.customer.vat')).toMatchObject({ events: 1, parentEvents: 2, values: null })
  expect(fieldAt(observed, 'data.lines[].total').types).toEqual([
    { type: 'integer', declared: true, events: 1 },
    { type: 'number', declared: false, events: 1 },
  ])
})

test('something is counted once for an event, however often it is in it', () => {
  const lines = [{ total: 1 }, { total: 2 }, { total: 3 }]
  const observed = observe(order, [
    { id: 'a', status: 'open', lines },
    { id: 'b', status: 'open', lines },
  ])
  expect(fieldAt(observed, 'data.lines[].total').events).toBe(2)
})

test('nothing is said of what never came when there was no event', () => {
  expect(observe(order, [])).toEqual({ compared: true, events: 0, fields: [], moreFields: 0, truncated: false })
})

test('without a schema what came is told, and is declared nowhere', () => {
  const observed = observe(undefined, [{ id: 'a', lines: [1] }])
  expect(observed.compared).toBe(false)
  expect(found(observed)).toEqual({ 'data.id': ['undeclared'], 'data.lines': ['undeclared'] })
})

test('members of a map are one place, and those that fit no pattern are not of it', () => {
  const schema = {
    type: 'object',
    properties: { a: { type: 'integer' } },
    patternProperties: { '^x-': { type: 'string' } },
  }
  expect(found(observe(schema, [{ a: 1, 'x-one': 'yes', 'x-two': 2, y: 1 }]))).toEqual({
    'data{}': ['undeclared_type'],
    'data.y': ['undeclared'],
  })
})

test('a required member of a map is no undeclared one', () => {
  const schema = { type: 'object', required: ['en'], additionalProperties: { type: 'string' } }
  expect(found(observe(schema, [{ en: 'yes', de: 'ja' }, { de: 'ja' }]))).toEqual({ 'data.en': ['required_missing'] })
})

test('where the schema says nothing, nothing differs from it', () => {
  const schema = { type: 'object', properties: { any: {}, free: { type: 'object', additionalProperties: true } } }
  expect(found(observe(schema, [{ any: { a: { b: 1 } }, free: { b: { c: 1 } } }]))).toEqual({})
})

test('members that only a variant, a condition or a reference declares are declared', () => {
  const schema = {
    type: 'object',
    properties: { kind: { enum: ['card', 'iban'] } },
    oneOf: [
      { properties: { kind: { const: 'card' }, last4: { type: 'string' } } },
      { properties: { kind: { const: 'iban' }, bank: { type: 'string' } } },
    ],
    if: { properties: { kind: { const: 'card' } } },
    // biome-ignore lint/suspicious/noThenProperty: the keyword of JSON Schema
    then: { properties: { expires: { type: 'string' } } },
    dependentSchemas: { bank: { properties: { country: { type: 'string' } } } },
  }
  const observed = observe(schema, [
    { kind: 'card', last4: '4242', expires: '12/30' },
    { kind: 'iban', bank: 'GLS', country: 'DE' },
    { kind: 'cash' },
  ])
  expect(found(observed)).toEqual({ 'data.kind': ['outside_list'] })
})

test('what refines a list of values is heeded', () => {
  const schema = {
    allOf: [
      { type: 'object', properties: { status: { type: 'string' } } },
      { properties: { status: { enum: ['open', 'paid'] } } },
    ],
  }
  expect(found(observe(schema, [{ status: 'gone' }]))).toEqual({ 'data.status': ['outside_list'] })
})

describe('what is about people', () => {
  const schema = { type: 'object', properties: { name: { type: 'string' }, status: { enum: ['open', 'paid'] } } }
  const personal = ['Jane Doe', 'jane@example.com', '4111111111111111', '+49 170 1234567', 'a1b2c3d4e5f60718', 'é']

  test.each(personal)('%s is told neither as a value nor as a name', (text) => {
    const payloads = [{ name: text, status: text, [text]: 1, list: [text] }]
    const observed = observe(schema, payloads)
    expect(JSON.stringify(observed)).not.toContain(JSON.stringify(text).slice(1, -1))
    expect(fieldAt(observed, 'data.status')).toMatchObject({ outsideEvents: 1, untoldEvents: 1 })
    expect(fieldAt(observed, 'data{}')).toMatchObject({ findings: ['undeclared'], events: 1 })
  })

  test('no value is told of a place where the schema lists none, whatever it is', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[A-Z]{12,20}$/), (text) => {
        const observed = observe(schema, [{ name: text, other: text, deep: { [text]: text } }])
        expect(JSON.stringify(observed)).not.toContain(text)
      }),
    )
  })
})

describe('hostile payloads', () => {
  const manyNames = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`name_${index}`, index]))

  test('10,000 names in a map are one place', () => {
    const observed = observe({ type: 'object', additionalProperties: { type: 'integer' } }, [manyNames])
    expect(observed.fields.map(({ path }) => path)).toEqual(['data', 'data{}'])
    expect(observed.moreFields).toBe(0)
  })

  test('10,000 names that are not declared are told up to a number, and counted beyond', () => {
    const observed = observe({ type: 'object', properties: { a: {} } }, [manyNames, manyNames])
    const undeclared = observed.fields.filter(({ findings }) => findings.includes('undeclared'))
    expect(undeclared).toHaveLength(undeclaredNamesMax)
    expect(observed.moreFields).toBe(10_000 - undeclaredNamesMax)
  })

  test('places are told up to a number, and counted beyond', () => {
    const properties = Object.fromEntries(Array.from({ length: 2_000 }, (_, index) => [`p${index}`, {}]))
    const observed = observe({ type: 'object', properties }, [{}])
    expect(observed.fields).toHaveLength(observedFieldsMax)
    expect(observed.moreFields).toBe(2_001 - observedFieldsMax)
  })

  test('data as deep as can be, in a schema that goes on for ever', () => {
    const schema = {
      $ref: '#/$defs/node',
      $defs: { node: { type: 'object', properties: { n: { $ref: '#/$defs/node' } } } },
    }
    const deep = JSON.parse(`${'{"n":'.repeat(63)}{}${'}'.repeat(63)}`)
    const observed = observe(schema, [deep])
    expect(found(observed)).toEqual({ [`data${'.n'.repeat(64)}`]: ['never_seen'] })
    const deeper = JSON.parse(`${'{"n":'.repeat(2_000)}{}${'}'.repeat(2_000)}`)
    expect(observe(schema, [deeper]).truncated).toBe(true)
  })

  test('megabytes of values end the sample before they take long', () => {
    const schema = { type: 'array', items: { type: 'array', items: { type: 'integer' } } }
    const large = Array.from({ length: 1_000 }, () => Array.from({ length: 100 }, () => 1))
    const observed = observe(
      schema,
      Array.from({ length: 100 }, () => large),
    )
    expect(observed.events).toBeLessThan(10)
    expect(observed.truncated).toBe(true)
    expect(found(observed)).toEqual({})
  })

  test('names that objects of JavaScript have are names like others', () => {
    const schema = { type: 'object', properties: { a: {} }, required: ['toString'] }
    const observed = observe(schema, [JSON.parse('{"__proto__": 1, "constructor": 2, "hasOwnProperty": 3}')])
    expect(found(observed)).toEqual({
      'data.a': ['never_seen'],
      'data.toString': ['never_seen', 'required_missing'],
      'data.__proto__': ['undeclared'],
      'data.constructor': ['undeclared'],
      'data.hasOwnProperty': ['undeclared'],
    })
  })

  test('a schema that cannot be taken apart within bounds declares nothing, and says so', () => {
    const properties = Object.fromEntries(Array.from({ length: 2_000 }, (_, index) => [`p${index}`, {}]))
    const schema = { allOf: Array.from({ length: 300 }, () => ({ $ref: '#/$defs/m' })), $defs: { m: { properties } } }
    const distinct = { allOf: schema.allOf.map((_, index) => ({ properties: { ...properties, [`q${index}`]: {} } })) }
    const observed = observe(distinct, [{ p1: 1 }])
    expect(observed.compared).toBe(false)
    expect(found(observed)).toEqual({ 'data.p1': ['undeclared'] })
  })

  test('a pattern that takes other engines for ever is matched at once', () => {
    const schema = { type: 'object', patternProperties: { '^(a+)+$': { type: 'integer' } } }
    const observed = observe(schema, [{ [`${'a'.repeat(5_000)}!`]: 1 }])
    expect(found(observed)).toEqual({ 'data{}': ['undeclared'] })
  })
})

const words = fc.constantFrom('open', 'paid', 'void', 'Größe', '')
const names = fc.constantFrom('id', 'status', 'total', 'toString', 'with space', 'a.b')

/** Schemas of most keywords by which one says what comes. */
const schemas = fc.letrec<{ schema: Schema; object: Schema }>((tie) => ({
  schema: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom<Schema[]>(
      { type: 'string' },
      { type: 'integer' },
      { type: 'number' },
      { type: 'boolean' },
      { type: ['string', 'null'] },
      { $ref: '#/$defs/node' },
      { type: ['string', 'null'], enum: ['a', 'b', null] },
      { const: 7 },
    ),
    fc.uniqueArray(words, { minLength: 1 }).map((values) => ({ enum: values })),
    tie('object'),
    fc.record({ type: fc.constant('array'), items: tie('schema') }),
    fc.record({ type: fc.constant('object'), additionalProperties: tie('schema') }),
    tie('schema').map((schema) => ({ type: 'object', patternProperties: { '^x-': schema } })),
    fc.array(tie('schema'), { minLength: 1, maxLength: 3 }).map((anyOf) => ({ anyOf })),
    fc.array(tie('schema'), { minLength: 1, maxLength: 3 }).map((oneOf) => ({ oneOf })),
    fc.tuple(tie('object'), tie('object')).map(([one, other]) => ({ allOf: [one, renamed(other)] })),
  ),
  object: fc
    .uniqueArray(fc.record({ name: names, schema: tie('schema'), required: fc.boolean() }), {
      selector: ({ name }) => name,
    })
    .map((members) => ({
      type: 'object',
      properties: Object.fromEntries(members.map(({ name, schema }) => [name, schema])),
      required: members.flatMap(({ name, required }) => (required ? [name] : [])),
    })),
}))

const node = { type: 'object', properties: { value: { type: 'integer' }, next: { $ref: '#/$defs/node' } } }

/** The same with other names, so that the two do not ask for different things of one member. */
function renamed({ properties, required, ...rest }: Schema): Schema {
  const entries = Object.entries(properties as Schema).map(([name, schema]) => [`y_${name}`, schema])
  return {
    ...rest,
    properties: Object.fromEntries(entries),
    required: (required as string[]).map((name) => `y_${name}`),
  }
}

/** Data that fits a schema of those above, with no member that it does not declare. */
function dataOf(schema: Schema): fc.Arbitrary<unknown> {
  const { type, enum: values, anyOf, oneOf, allOf } = schema as Record<string, Schema[]>
  if (schema['$ref'] !== undefined) return fc.oneof(fc.constant({}), fc.constant({ value: 1, next: { next: {} } }))
  if (values !== undefined) return fc.constantFrom(...values)
  if (schema['const'] !== undefined) return fc.constant(schema['const'])
  const branches = anyOf ?? oneOf
  if (branches !== undefined) return fc.oneof(...branches.map(dataOf))
  if (allOf !== undefined) {
    return fc.tuple(...allOf.map(dataOf)).map((parts) => Object.assign({}, ...(parts as object[])))
  }
  if (Array.isArray(type)) return fc.oneof(fc.string(), fc.constant(null))
  switch (type as unknown) {
    case 'string':
      return fc.string()
    case 'integer':
      return fc.integer()
    case 'number':
      return fc.double({ noNaN: true, noDefaultInfinity: true })
    case 'boolean':
      return fc.boolean()
    case 'array':
      return fc.array(dataOf(schema['items'] as Schema), { maxLength: 3 })
    default:
      return objectOf(schema)
  }
}

function objectOf({ properties = {}, required = [], additionalProperties, patternProperties }: Schema) {
  const members = Object.entries(properties as Schema).map(
    ([name, schema]) => [name, dataOf(schema as Schema)] as const,
  )
  const requiredKeys = required as never[]
  const named = fc.record(Object.fromEntries(members), { requiredKeys })
  const [map] = additionalProperties === undefined ? Object.values(Object(patternProperties)) : [additionalProperties]
  if (map === undefined) return named
  const keys = fc.string().map((text) => `x-${text}`)
  return fc.tuple(named, fc.dictionary(keys, dataOf(map as Schema), { maxKeys: 3 })).map(([a, b]) => ({ ...b, ...a }))
}

test('of data that was made from the schema nothing is undeclared, missing, or outside of a list', () => {
  const made = schemas.schema.chain((schema) => {
    const whole = { ...schema, $defs: { node } }
    return fc.record({ schema: fc.constant(whole), payloads: fc.array(dataOf(schema), { maxLength: 5 }) })
  })
  let members = 0
  fc.assert(
    fc.property(made, ({ schema, payloads }) => {
      const observed = observe(schema, JSON.parse(JSON.stringify(payloads)))
      members += observed.fields.length
      const wrong = observed.fields.filter(({ findings }) => findings.some((finding) => finding !== 'never_seen'))
      expect(wrong).toEqual([])
      expect(observed).toMatchObject({ compared: true, truncated: false, events: payloads.length })
    }),
    { numRuns: 1_000 },
  )
  expect(members).toBeGreaterThan(1_000)
})

test('a member more than the schema has is found wherever it stands, and a value more than its list', () => {
  const path = fc.array(fc.constantFrom('.a', '[]'), { maxLength: 6 })
  fc.assert(
    fc.property(path, (steps) => {
      const leaf = { type: 'object', properties: { known: { enum: ['yes'] } } }
      const schema = steps.reduceRight<Schema>(
        (inner, step) =>
          step === '[]' ? { type: 'array', items: inner } : { type: 'object', properties: { a: inner } },
        leaf,
      )
      const data = steps.reduceRight<unknown>((inner, step) => (step === '[]' ? [inner] : { a: inner }), {
        known: 'no',
        surplus: 1,
      })
      const place = `data${steps.join('')}`
      expect(found(observe(schema, [data]))).toEqual({
        [`${place}.known`]: ['outside_list'],
        [`${place}.surplus`]: ['undeclared'],
      })
    }),
  )
})
