/** Schemas of all kinds for properties: sensible ones, contradictory ones, recursive ones. */
import fc from 'fast-check'

const names = ['id', 'email', 'amount', 'lines', 'created_at', 'a b', 'constructor']
const scalars = fc.constantFrom<unknown>('a', 'EUR', 0, 1, 2.5, true, null, [], { id: 'a' })
const least = fc.nat(2)
const most = fc.integer({ min: 2, max: 5 })

/** How a text looks: a format and a pattern together seldom leave anything. */
const looks = [
  ...['date-time', 'email', 'uuid', 'uri', 'ipv6', 'iban'].map((format) => ({ format })),
  ...['^[A-Z]{3}$', '^(a+)+$', '[0-9]', '^inv_[a-z0-9]+$', '^x|y$'].map((pattern) => ({ pattern })),
]

type Schema = Record<string, unknown> | boolean

const { schema } = fc.letrec<{
  schema: Schema
  node: Schema
  object: Schema
  text: Schema
  number: Schema
  array: Schema
  composed: Schema
}>((tie) => ({
  schema: fc.oneof(
    { maxDepth: 4, depthIdentifier: 'schema' },
    tie('text'),
    tie('number'),
    tie('object'),
    tie('array'),
    tie('composed'),
    tie('node'),
  ),
  node: fc.oneof(
    fc.constantFrom<Schema>(
      {},
      true,
      { type: 'boolean' },
      { type: ['string', 'null'] },
      { $ref: '#/$defs/tree' },
      { $ref: '#/$defs/list' },
      { $ref: '#/$defs/payment' },
      { $ref: '#' },
    ),
    fc.record(
      { enum: fc.array(scalars, { minLength: 1, maxLength: 4 }), 'x-extensible-enum': fc.boolean() },
      { requiredKeys: ['enum'] },
    ),
    fc.record({ const: scalars }),
  ),
  text: fc
    .record(
      {
        type: fc.constant('string'),
        minLength: least,
        maxLength: fc.integer({ min: 3, max: 40 }),
        looks: fc.constantFrom(...looks),
        description: fc.string(),
      },
      { requiredKeys: ['type'] },
    )
    .map(({ looks = {}, ...all }) => ({ ...all, ...looks })),
  number: fc.record(
    {
      type: fc.constantFrom('integer', 'number'),
      minimum: least,
      exclusiveMaximum: fc.integer({ min: 6, max: 9 }),
      multipleOf: fc.constantFrom(0.01, 2, 3),
    },
    { requiredKeys: ['type'] },
  ),
  object: fc.record(
    {
      type: fc.constant('object'),
      properties: fc.dictionary(fc.constantFrom(...names), tie('schema'), { maxKeys: 4 }),
      required: fc.uniqueArray(fc.constantFrom(...names), { maxLength: 3 }),
      additionalProperties: fc.oneof(fc.constant(false), tie('schema')),
      patternProperties: fc.dictionary(fc.constantFrom('^x-[a-z]+$', '^a'), tie('schema'), { maxKeys: 1 }),
      minProperties: least,
      maxProperties: most,
      dependentRequired: fc.dictionary(
        fc.constantFrom(...names),
        fc.uniqueArray(fc.constantFrom(...names), { maxLength: 2 }),
        { maxKeys: 2 },
      ),
      propertyNames: fc.constantFrom({ pattern: '^[a-z]+$' }, { enum: ['id', 'email'] }, { maxLength: 9 }),
    },
    { requiredKeys: ['type', 'properties'] },
  ),
  array: fc.record(
    {
      type: fc.constant('array'),
      items: tie('schema'),
      prefixItems: fc.array(tie('schema'), { minLength: 1, maxLength: 2 }),
      minItems: least,
      maxItems: most,
      uniqueItems: fc.boolean(),
      contains: tie('schema'),
    },
    { requiredKeys: ['type', 'items'] },
  ),
  composed: fc.oneof(
    fc.record({ allOf: fc.array(tie('schema'), { minLength: 1, maxLength: 2 }) }),
    fc.record({ anyOf: fc.array(tie('schema'), { minLength: 1, maxLength: 3 }) }),
    fc.record({ oneOf: fc.array(tie('schema'), { minLength: 1, maxLength: 3 }) }),
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
    fc.record({ if: tie('schema'), then: tie('schema'), else: tie('schema') }),
    fc.record({ not: tie('schema') }),
    fc.record({
      type: fc.constant('object'),
      unevaluatedProperties: fc.constant(false),
      properties: fc.dictionary(fc.constantFrom(...names), tie('schema'), { maxKeys: 2 }),
    }),
  ),
}))

const $defs = {
  tree: {
    type: 'object',
    required: ['id'],
    properties: { id: { type: 'string' }, children: { type: 'array', items: { $ref: '#/$defs/tree' } } },
  },
  list: {
    type: 'object',
    required: ['next'],
    properties: { next: { anyOf: [{ $ref: '#/$defs/list' }, { type: 'null' }] } },
  },
  payment: {
    type: 'object',
    required: ['kind'],
    oneOf: [
      {
        properties: { kind: { const: 'card' }, last4: { type: 'string', pattern: '^[0-9]{4}$' } },
        required: ['last4'],
      },
      { properties: { kind: { const: 'cash' } } },
    ],
  },
}

/** A whole schema, with definitions that may be referred to. */
export const anySchema: fc.Arbitrary<Record<string, unknown>> = schema.map((one) => ({
  ...(typeof one === 'boolean' ? {} : one),
  $defs,
}))
