import { Ajv2020 } from 'ajv/dist/2020.js'
import { expect, test } from 'vitest'
import { nearest } from './nearest.ts'
import { placesOf } from './places.ts'

const ajv = new Ajv2020({ strict: false, allErrors: true, verbose: true, discriminator: true })
ajv.addFormat('date-time', /^\d/)
ajv.addFormat('ipv4', /^\d/)

function said(schema: object, value: unknown): string[] {
  const validate = ajv.compile(schema)
  validate(value)
  return placesOf(validate.errors ?? []).map(({ pointer, detail }) => `${pointer} ${detail}`)
}

const textOrList = {
  anyOf: [
    { type: 'string', minLength: 2 },
    { type: 'array', items: { type: 'string', maxLength: 1 } },
  ],
}
const tagged = {
  type: 'object',
  required: ['kind'],
  discriminator: { propertyName: 'kind' },
  oneOf: [{ properties: { kind: { const: 'a' } } }, { properties: { kind: { enum: ['b', 'c'] } } }],
}

test.each([
  [{ type: ['string', 'null'] }, 1, [' must be string or null']],
  [{ type: ['string', 'array', 'null'] }, 1, [' must be string, array or null']],
  [{ enum: ['a', null] }, 1, [' must be one of "a", null']],
  [{ const: 'a' }, 1, [' must be "a"']],
  [{ minimum: 2 }, 1, [' must be at least 2']],
  [{ maximum: 0 }, 1, [' must be at most 0']],
  [{ minLength: 1 }, '', [' must not be empty']],
  [{ minLength: 3 }, 'a', [' must have at least 3 characters']],
  [{ maxLength: 1 }, 'ab', [' must have at most 1 character']],
  [{ minItems: 1 }, [], [' must not be empty']],
  [{ minItems: 2 }, [1], [' must have at least 2 items']],
  [{ maxItems: 2 }, [1, 2, 3], [' must have at most 2 items']],
  [{ minProperties: 2 }, {}, [' must have at least 2 members']],
  [{ maxProperties: 0 }, { a: 1 }, [' must have at most 0 members']],
  [{ uniqueItems: true }, [1, 1], [' must not contain the same item twice']],
  [
    { propertyNames: { maxLength: 1 } },
    { 'a/b': 1 },
    ['/a~1b cannot be a name here: it must have at most 1 character'],
  ],
  [{ format: 'date-time' }, 'b', [' must be a time with its offset, such as 2026-11-26T09:00:00Z']],
  [{ format: 'ipv4' }, 'b', [' must be of the format ipv4']],
  [{ pattern: '^a$' }, 'b', [' must match pattern "^a$"']],
  [textOrList, 1, [' must be string or array']],
  [textOrList, 'a', [' must have at least 2 characters']],
  [textOrList, ['ab'], ['/0 must have at most 1 character']],
  [{ oneOf: [{ minimum: 0 }, { minimum: 1 }] }, 2, [' fits several of the forms of which it may have one']],
  [tagged, { kind: 'd' }, ['/kind must be one of "a", "b", "c"']],
  [
    { properties: { total: {} }, additionalProperties: false },
    { totl: 1 },
    ['/totl is not known here; did you mean total?'],
  ],
  [{ properties: { total: {} }, additionalProperties: false }, { other: 1 }, ['/other is not known here']],
])('%j with %j: %j', (schema, value, places) => {
  expect(said(schema, value)).toEqual(places)
})

test('many choices that fail are told at once, each at its own place', () => {
  const items = Array.from({ length: 50_000 }, (_, index) => (index % 2 === 0 ? 1 : 'a'))
  const startedAt = performance.now()
  expect(said({ type: 'array', items: textOrList }, items).slice(0, 3)).toEqual([
    '/0 must be string or array',
    '/1 must have at least 2 characters',
    '/2 must be string or array',
  ])
  expect(performance.now() - startedAt).toBeLessThan(2_000)
})

test.each([
  ['sate', ['state', 'since'], 'state'],
  ['event_type', ['event_types', 'event'], 'event_types'],
  ['id', ['ip', 'url'], undefined],
  ['__proto__', ['a', 'b'], undefined],
  ['', ['a'], undefined],
  ['x'.repeat(100_000), ['x'.repeat(64)], undefined],
  ['🐘tate', ['state'], 'state'],
])('who writes %j of %j means %j', (name, known, expected) => {
  expect(nearest(name, known)).toBe(expected)
})
