/** Event types of every kind there is, some of them hostile, each with examples that fit. */
import type { GivenEventType } from './documentation.ts'

const line = {
  type: 'object',
  required: ['sku', 'quantity'],
  properties: {
    sku: { type: 'string' },
    quantity: { type: 'integer', minimum: 1 },
    note: { type: ['string', 'null'] },
  },
}

const invoice = {
  title: 'Invoice',
  type: 'object',
  required: ['id', 'status', 'paid_at', 'lines'],
  properties: {
    id: { type: 'string', description: 'The id of the invoice' },
    status: { enum: ['open', 'paid'] },
    paid_at: { type: 'string', format: 'date-time' },
    total: { type: 'integer', deprecated: true },
    lines: { type: 'array', minItems: 1, maxItems: 50, items: { $ref: '#/$defs/line' } },
    customer: { description: 'Who pays', $ref: '#customer' },
    labels: { type: 'object', additionalProperties: { type: 'string' } },
  },
  $defs: {
    line,
    customer: { $anchor: 'customer', type: 'object', required: ['name'], properties: { name: { type: 'string' } } },
  },
}
const invoiceExample = {
  id: 'inv_1',
  status: 'paid',
  paid_at: '2026-01-01T11:59:00Z',
  lines: [{ sku: 'a', quantity: 1, note: null }],
  customer: { name: 'Zoë' },
  labels: { region: 'eu' },
}
const channel = { enum: ['web', 'shop'], 'x-extensible-enum': true }

/** Names and texts by which somebody could write code into code; `__proto__` only comes by way of JSON. */
const hostileNames = JSON.parse(
  JSON.stringify({
    constructor: { type: 'string' },
    toString: { type: 'integer' },
    '[k: string]': { type: 'number' },
    'a`b"c*/': { type: 'string', description: '*/ } declare const evil: number; /* """ \\' },
    class: { enum: ['def', 'a"b\n`c*/"""', 'b\u2028c'] },
    'first name': { type: 'string' },
    '-': { type: 'string' },
    'line\nbreak': { type: 'string' },
    ünïcode: { type: 'string' },
  }).replace('{', '{"__proto__":{"type":"string"},'),
)

/** Generators of code take a time that grows with the square of such words. */
const longWords = {
  type: 'object',
  properties: {
    said: { type: 'string', description: 'x'.repeat(25_000) },
    ['y'.repeat(30_000)]: { type: 'string' },
    ['z'.repeat(200)]: { type: 'integer' },
  },
}

export const sampleEventTypes: Readonly<Record<string, GivenEventType>> = {
  'words.long': { versions: [{ schema: longWords }] },
  'invoice.paid': {
    description: 'An invoice was paid.\n\n*/ <script>alert(1)</script> """ `code`',
    group: 'Invoices',
    versions: [
      { schema: invoice, examples: [invoiceExample] },
      {
        schema: { ...invoice, properties: { ...invoice.properties, channel } },
        examples: [
          { ...invoiceExample, channel: 'shop' },
          { id: 'inv_2', status: 'open', paid_at: '2026-01-01T00:00:00Z', lines: [{ sku: 'b', quantity: 2 }] },
        ],
      },
    ],
  },
  'invoice-paid': { group: 'Invoices', versions: [{ schema: invoice, examples: [invoiceExample] }] },
  'tree.grown': {
    versions: [
      {
        schema: {
          type: 'object',
          required: ['name'],
          properties: {
            name: { type: 'string' },
            children: { type: 'array', items: { $ref: '#' } },
            next: { $ref: '#/properties/self' },
            self: { anyOf: [{ $ref: '#' }, { type: 'null' }] },
          },
        },
        examples: [{ name: 'a', children: [{ name: 'b', children: [] }], self: null }],
      },
    ],
  },
  'payment.made': {
    group: 'Payments',
    versions: [
      {
        schema: {
          oneOf: [
            {
              type: 'object',
              required: ['kind', 'last4'],
              properties: { kind: { const: 'card' }, last4: { type: 'string' } },
            },
            {
              type: 'object',
              required: ['kind', 'iban'],
              properties: { kind: { const: 'sepa' }, iban: { type: 'string' } },
            },
          ],
        },
        examples: [
          { kind: 'card', last4: '4242' },
          { kind: 'sepa', iban: 'DE02' },
        ],
      },
    ],
  },
  'point.moved': {
    versions: [
      {
        schema: {
          type: 'object',
          required: ['at'],
          properties: {
            at: { type: 'array', prefixItems: [{ type: 'number' }, { type: 'number' }], minItems: 2, items: false },
            path: { type: 'array', prefixItems: [{ type: 'string' }], items: { type: 'integer' } },
            either: { oneOf: [{ type: 'string' }, { type: 'object', properties: { x: { type: 'number' } } }] },
          },
          unevaluatedProperties: { type: 'string' },
          dependentRequired: { path: ['either'] },
        },
        examples: [{ at: [1, 2.5] }, { at: [0, 0], path: ['start', 1, 2], either: { x: 1 } }],
      },
    ],
  },
  'map.changed': {
    versions: [
      {
        schema: { type: 'object', patternProperties: { '^x-': { type: 'integer' } }, additionalProperties: false },
        examples: [{ 'x-a': 1 }],
      },
    ],
  },
  'list.sent': { versions: [{ schema: { type: 'array', items: { type: 'string' } }, examples: [['a', 'b']] }] },
  'note.left': { versions: [{ schema: { type: ['string', 'null'] }, examples: ['hello', null] }] },
  'note.lost': {
    versions: [
      {
        schema: { anyOf: [{ type: 'object', properties: { text: { type: 'string' } } }, { type: 'null' }] },
        examples: [null, { text: 'x' }],
      },
    ],
  },
  'anything.happened': { versions: [{ schema: {}, examples: [1, { a: [true] }] }] },
  'hostile.names': {
    versions: [
      {
        schema: {
          type: 'object',
          required: ['class'],
          properties: hostileNames,
          tsType: 'never; declare const evil: 1',
          title: 'a */ b',
        },
        examples: [{ class: 'def', 'first name': 'x', ünïcode: 'y', '-': 'dash' }],
      },
    ],
  },
  'order.lost': {
    status: 'archived',
    versions: [{ schema: { type: 'object', properties: { id: { type: 'string' } } }, examples: [{ id: '1' }] }],
  },
  // A name of a type, of a keyword, of a system, and one that is no beginning of a name.
  class: {
    versions: [
      {
        schema: { type: 'object', properties: { data: { type: 'object', properties: { data: { type: 'string' } } } } },
        examples: [{ data: { data: 'x' } }],
      },
    ],
  },
  'server.linux': { versions: [{ schema: { type: 'boolean' }, examples: [true] }] },
  '2fa.enabled': { versions: [{ schema: { const: 'on' }, examples: ['on'] }] },
  'values.mixed': {
    versions: [
      {
        schema: {
          type: 'object',
          properties: {
            five: { const: 5 },
            none: { const: null },
            map: { const: { a: 1 } },
            list: { enum: [[1], [2]] },
            mixed: { enum: ['a', 1, 2.5, true, null] },
            maybe: { enum: ['a', null] },
            漢: { type: 'string' },
            from_dict: { type: 'string' },
          },
        },
        examples: [{ five: 5, none: null, map: { a: 1 }, list: [2], mixed: 2.5, maybe: null, 漢: 'x', from_dict: 'y' }],
      },
    ],
  },
  'any.webhook': { versions: [{ schema: { type: 'integer' }, examples: [7] }] },
  'not.described': {},
}
