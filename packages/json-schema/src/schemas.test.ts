import { Problem } from '@posthorn/contract'
import { expect, test } from 'vitest'
import { checkWith, createSchemas } from './schemas.ts'

const schemas = createSchemas()

/** Time for what must never hang: far above what it needs, far below what a backtracking engine would take. */
const promptlyMs = 2_000

function refusalOf(schema: unknown, examples: unknown[] = []): Problem {
  try {
    schemas.compile(schema, examples)
  } catch (error) {
    if (error instanceof Problem) return error
    throw error
  }
  throw new Error('the schema was accepted')
}

test('data that fits has no faults, and what does not fit is named by JSON Pointer', () => {
  const compiled = schemas.compile({
    type: 'object',
    required: ['total'],
    properties: {
      total: { type: 'integer', minimum: 0 },
      lines: { type: 'array', items: { $ref: '#/$defs/line' } },
      'a/b': { type: 'string' },
      currency: { enum: ['EUR', 'USD'] },
    },
    additionalProperties: false,
    $defs: { line: { type: 'object', properties: { sku: { type: 'string' } } } },
  })
  expect(compiled.check({ total: 1, lines: [{ sku: 'x' }], currency: 'EUR' })).toEqual([])
  expect(compiled.check({ total: -1, lines: [{}, { sku: 7 }], 'a/b': 1, currency: 'DM', extra: 1 })).toEqual([
    { pointer: '/extra', detail: 'is not known here' },
    { pointer: '/total', detail: 'must be at least 0' },
    { pointer: '/lines/1/sku', detail: 'must be string' },
    { pointer: '/a~1b', detail: 'must be string' },
    { pointer: '/currency', detail: 'must be one of "EUR", "USD"' },
  ])
  expect(compiled.check({})).toEqual([{ pointer: '', detail: "must have required property 'total'" }])
})

test('a schema may refer to its own root, and knows nothing of the one before', () => {
  const tree = schemas.compile({ type: 'object', required: ['name'], properties: { parent: { $ref: '#' } } })
  const list = schemas.compile({ $id: 'https://acme.example/list', type: 'array', items: { $ref: '#' } })
  expect(tree.check({ name: 'a', parent: { name: 'b' } })).toEqual([])
  expect(tree.check({ name: 'a', parent: {} })).toEqual([
    { pointer: '/parent', detail: "must have required property 'name'" },
  ])
  expect(list.check([[], [[]]])).toEqual([])
  expect(list.check([[{}]])).toEqual([{ pointer: '/0/0', detail: 'must be array' }])
})

test('it is JSON Schema 2020-12: prefixItems, dynamic references, unevaluated properties', () => {
  const tuple = schemas.compile({ prefixItems: [{ type: 'string' }], items: false })
  expect(tuple.check(['a'])).toEqual([])
  expect(tuple.check(['a', 1])).toHaveLength(1)
  const tree = schemas.compile({
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: 'https://acme.example/schemas/tree',
    $dynamicAnchor: 'node',
    type: 'object',
    properties: { children: { type: 'array', items: { $dynamicRef: '#node' } } },
    unevaluatedProperties: false,
  })
  expect(tree.check({ children: [{ children: [] }] })).toEqual([])
  expect(tree.check({ children: [{ kids: [] }] })).toEqual([
    { pointer: '/children/0/kids', detail: 'is not known here' },
  ])
})

test.each([
  [{ $ref: 'https://evil.example/schema.json' }, '/schema/$ref'],
  [{ properties: { a: { $ref: 'other.json#/x' } } }, '/schema/properties/a/$ref'],
  [{ $dynamicRef: 'https://json-schema.org/draft/2020-12/schema' }, '/schema/$dynamicRef'],
  [{ allOf: [{ $id: 'https://evil.example/', $ref: '#/x' }] }, '/schema/allOf/0/$id'],
  [{ $recursiveRef: '#' }, '/schema/$recursiveRef'],
  [{ const: { $data: '1/x' } }, '/schema/const/$data'],
  [{ $async: true }, '/schema/$async'],
  [{ $schema: 'http://json-schema.org/draft-07/schema#' }, '/schema/$schema'],
  [{ type: 'strin' }, '/schema/type'],
  [{ minimum: '1' }, '/schema/minimum'],
  [{ $ref: '#/$defs/missing' }, '/schema'],
  [{ $ref: '#' }, '/schema'],
  [{ allOf: [{ $ref: '#' }] }, '/schema'],
  [{ pattern: '(?=a)b' }, '/schema'],
  [{ pattern: '(a)\\1' }, '/schema'],
  [{ pattern: '(?<n>a)\\k<n>' }, '/schema'],
  [{ patternProperties: { '(?!a)': {} } }, '/schema'],
  [{ pattern: 'a'.repeat(2000) }, '/schema'],
  [{ pattern: '(' }, '/schema'],
  [{ description: 'x'.repeat(70_000) }, '/schema'],
  [true, '/schema'],
  [[], '/schema'],
])('the schema %j is refused at %s', (schema, pointer) => {
  expect(refusalOf(schema)).toMatchObject({
    code: 'invalid_schema',
    status: 422,
    errors: expect.arrayContaining([expect.objectContaining({ pointer })]),
  })
})

test('the refusal of a pattern names it', () => {
  expect(refusalOf({ properties: { a: { pattern: '^(?!x)' } } }).message).toContain('"^(?!x)"')
})

test('a property may be called as a keyword is', () => {
  const compiled = schemas.compile({ properties: { $ref: { type: 'string' }, $id: { type: 'integer' }, $async: {} } })
  expect(compiled.check({ $ref: 'anything', $id: 1 })).toEqual([])
  expect(compiled.check({ $ref: 1 })).toEqual([{ pointer: '/$ref', detail: 'must be string' }])
})

test('two schemas of the same name do not meet', () => {
  const $id = 'https://acme.example/invoice'
  const first = schemas.compile({ $id, type: 'string' })
  const second = schemas.compile({ $id, type: 'number' })
  expect([first.check('a'), second.check(1)]).toEqual([[], []])
  expect([first.check(1), second.check('a')].map((places) => places.length)).toEqual([1, 1])
})

test('two patterns in one schema are each held to', () => {
  const compiled = schemas.compile({ properties: { a: { pattern: '^a+$' }, b: { pattern: '^b+$' } } })
  expect(compiled.check({ a: 'aa', b: 'bb' })).toEqual([])
  expect(compiled.check({ a: 'bb', b: 'aa' }).map(({ pointer }) => pointer)).toEqual(['/a', '/b'])
})

test('what every object inherits is not a property of the data', () => {
  const compiled = schemas.compile({ required: ['toString'], properties: { constructor: { type: 'string' } } })
  expect(compiled.check({})).toHaveLength(1)
  expect(compiled.check({ toString: 1 })).toEqual([])
})

test('examples must fit, and the one that does not is named', () => {
  expect(refusalOf({ properties: { total: { type: 'integer' } } }, [{ total: 1 }, { total: 'much' }])).toMatchObject({
    code: 'invalid_schema',
    errors: [{ pointer: '/examples/1/total', detail: 'must be integer' }],
  })
})

test('items are compared by value: order of keys aside, and 1 is 1.0', () => {
  const compiled = schemas.compile({ uniqueItems: true })
  expect(
    compiled.check([
      { a: 1, b: [2] },
      { b: [2], a: 1.0 },
    ]),
  ).toEqual([{ pointer: '', detail: 'must not contain the same item twice' }])
  expect(compiled.check([1, '1', [1], { a: 1 }, null, true, 'true'])).toEqual([])
  expect(schemas.compile({ uniqueItems: false }).check([1, 1])).toEqual([])
})

test('a pattern that would hang a backtracking engine is matched at once', { timeout: promptlyMs }, () => {
  const compiled = schemas.compile({ pattern: '^(a+)+$' })
  expect(compiled.check(`${'a'.repeat(50_000)}!`)).toHaveLength(1)
  expect(compiled.check('a'.repeat(50_000))).toEqual([])
})

test('as many items as fit into an event are compared at once', { timeout: promptlyMs }, () => {
  const compiled = schemas.compile({ uniqueItems: true })
  expect(compiled.check(Array.from({ length: 20_000 }, (_, index) => ({ index })))).toEqual([])
})

test.each([
  ['date-time', `2026-01-01T00:00:00.${'1'.repeat(200_000)}`],
  ['duration', `P${'1'.repeat(200_000)}`],
  ['uri', `a:${'/'.repeat(200_000)} `],
  ['uri-reference', `${'a/'.repeat(100_000)}\\ `],
  ['email', `a@${'a-'.repeat(100_000)}`],
  ['email', `${'a.'.repeat(100_000)}@`],
  ['hostname', 'a-'.repeat(100_000)],
  ['ipv6', '1:'.repeat(100_000)],
  ['json-pointer', `${'/a~0'.repeat(50_000)}~`],
  ['relative-json-pointer', `0${'/a~0'.repeat(50_000)}~`],
  ['time', '1'.repeat(200_000)],
])('the format %s is checked in linear time', { timeout: promptlyMs }, (format, text) => {
  const places = schemas.compile({ format }).check(text)
  expect(places.map(({ detail }) => detail).join()).not.toContain('could not be checked')
})

test('an unknown format is a comment', () => {
  expect(schemas.compile({ format: 'iban' }).check('x')).toEqual([])
})

test('references that double at every step are ended, and the next schema is not harmed', { timeout: 10_000 }, () => {
  const $defs = Object.fromEntries(
    Array.from({ length: 40 }, (_, step) => [
      `d${step}`,
      { allOf: [{ $ref: `#/$defs/d${step + 1}` }, { $ref: `#/$defs/d${step + 1}` }] },
    ]),
  )
  expect(refusalOf({ $ref: '#/$defs/d0', $defs: { ...$defs, d40: {} } })).toMatchObject({ code: 'invalid_schema' })
  // Only data of one kind goes into the maze, so it is found out by the data.
  const late = schemas.compile({ required: ['maze'], $ref: '#/$defs/maze', $defs: { ...late2(), d30: {} } })
  expect(late.check({ maze: 'x' })).toEqual([
    { pointer: '', detail: expect.stringContaining('could not be checked in 500 ms') },
  ])
  expect(schemas.compile({ type: 'string' }).check(1)).toHaveLength(1)
})

function late2(): Record<string, unknown> {
  const steps = Array.from({ length: 30 }, (_, step) => [
    `d${step}`,
    { allOf: [{ $ref: `#/$defs/d${step + 1}` }, { $ref: `#/$defs/d${step + 1}` }] },
  ])
  return { maze: { properties: { maze: { $ref: '#/$defs/d0' } } }, ...Object.fromEntries(steps) }
}

test('a schema with ten thousand branches is compiled or refused in time', { timeout: 10_000 }, () => {
  const started = performance.now()
  try {
    schemas.compile({ anyOf: Array.from({ length: 6_000 }, (_, i) => ({ const: i })) })
  } catch (error) {
    expect(error).toMatchObject({ code: 'invalid_schema' })
  }
  expect(performance.now() - started).toBeLessThan(3_000)
})

test('a schema is loaded once for each version and kept', async () => {
  const loaded: string[] = []
  const check = checkWith(async (eventType, version) => {
    loaded.push(`${eventType}@${version}`)
    return eventType === 'free' ? undefined : { type: version === 1 ? 'string' : 'number' }
  })
  expect(await check('a', 1, '"x"')).toEqual([])
  expect(await check('a', 1, '1')).toEqual([{ pointer: '', detail: 'must be string' }])
  expect(await check('a', 2, '1')).toEqual([])
  expect(await check('free', 1, '{}')).toEqual([])
  expect(loaded).toEqual(['a@1', 'a@2', 'free@1'])
})

test('a stored schema that no longer compiles lets nothing pass unchecked', async () => {
  const check = checkWith(async () => ({ $ref: 'https://elsewhere.example/' }))
  expect(await check('a', 1, '1')).toEqual([{ pointer: '', detail: expect.stringContaining('could not be checked') }])
})

test.each([
  '#/$defs/toString',
  '#/$defs/__proto__',
  '#/constructor',
  '#/properties/c/hasOwnProperty',
  '#/required',
  '#/required/0',
  '#/%63onstructor',
  '#/title/0',
])('a reference to %s, which every object has or which is no schema, is refused and not taken for anything', ($ref) => {
  const schema = { title: 'a', type: 'object', properties: { c: { $ref } }, required: ['c'], $defs: {} }
  expect(() => createSchemas().compile(schema)).toThrow(
    expect.objectContaining({
      code: 'invalid_schema',
      errors: [{ pointer: '/schema/properties/c/$ref', detail: expect.stringContaining('no schema') }],
    }),
  )
})

test('a definition may have a name that every object has, when it is its own', () => {
  const $defs = JSON.parse('{"toString":{"type":"string"},"__proto__":{"type":"integer"},"a/b":{"type":"null"}}')
  const properties = { c: { $ref: '#/$defs/toString' }, d: { $ref: '#/$defs/__proto__' }, e: { $ref: '#/$defs/a~1b' } }
  const { check } = createSchemas().compile({ properties, $defs })
  expect(check({ c: 'a', d: 1, e: null })).toEqual([])
  expect(check({ c: 1, d: 'a', e: 1 }).map(({ pointer }) => pointer)).toEqual(['/c', '/d', '/e'])
})
