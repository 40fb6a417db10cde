import { Problem } from '@posthorn/contract'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { apart, nestsDeeperThan, publishedData } from './published-json.ts'

test.each([
  ['{"data":12345678901234567890}', '12345678901234567890'],
  ['{"tenant":"a","data": 1.0 }', '1.0'],
  ['{"data":{"b":1,"a":2},"type":"x"}', '{"b":1,"a":2}'],
  ['{"data":{"a":1,"a":2}}', '{"a":1,"a":2}'],
  ['{"data":"\\u0000"}', '"\\u0000"'],
  ['{"data":"\\\\","x":1}', '"\\\\"'],
  ['{"data":"\\"}{"}', '"\\"}{"'],
  ['\t{ "data"\r\n:\n[ 1 , { } ]\n}\n', '[ 1 , { } ]'],
  ['{"d\\u0061ta":"😀"}', '"😀"'],
  ['{"inner":{"data":1},"data":null}', 'null'],
  ['{"data":-1e-7}', '-1e-7'],
])('the data of %s is %s, byte for byte', (text, data) => {
  expect(publishedData(text)).toBe(data)
})

test.each(['{}', '{"inner":{"data":1}}', '[]', '[{"data":1}]', '"data"', '1', 'null', '{"Data":1}'])(
  '%s has no data',
  (text) => {
    expect(publishedData(text)).toBeUndefined()
  },
)

test.each([
  ['{"data":1,"data":2}', '/data'],
  ['{"data":1,"d\\u0061ta":2}', '/data'],
  ['{"tenant":"a","tenant":"b","data":1}', '/tenant'],
  ['{"a/b~c":1,"a/b~c":2}', '/a~1b~0c'],
])('a member given twice is refused: %s', (text, pointer) => {
  expect(() => publishedData(text)).toThrow(Problem)
  try {
    publishedData(text)
  } catch (error) {
    expect(error).toMatchObject({ code: 'invalid_request', status: 422, errors: [{ pointer }] })
  }
})

test('what is judged by itself is taken out of the body, with its own bytes', () => {
  const text = '{ "ev\\u0065nts" : [ {"data":1.0} , {"x":[]}, 7,{"data":[1.50] } ] , "more":"[" }'
  expect(apart(text, 'events')).toEqual({
    rest: '{ "ev\\u0065nts" : [] , "more":"[" }',
    elements: ['{"data":1.0}', '{"x":[]}', '7', '{"data":[1.50] }'],
  })
  for (const other of ['{"events":{}}', '{}', '[1]', '7']) expect(apart(other, 'events')).toBeUndefined()
})

test('a body that gives what is to be taken out of it twice is refused', () => {
  expect(() => apart('{"events":[],"ev\\u0065nts":[]}', 'events')).toThrow(Problem)
})

const space = fc.stringMatching(/^[ \t\r\n]{0,3}$/)
/** A string literal with some of its characters escaped as `\uXXXX`. */
const literal = fc
  .tuple(fc.string({ unit: 'binary' }), fc.nat())
  .map(([text, seed]) =>
    [...JSON.stringify(text).slice(1, -1)].length === text.length && /^[a-z]*$/i.test(text)
      ? `"${[...text].map((c, i) => ((seed >> (i % 16)) & 1 ? `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}` : c)).join('')}"`
      : JSON.stringify(text),
  )
const { value } = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    literal,
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => JSON.stringify(number)),
    fc.constantFrom('true', 'false', 'null', '1.0', '12345678901234567890', '-0', '1E+2'),
    fc
      .array(fc.tuple(space, tie('value'), space), { maxLength: 4 })
      .map((parts) => `[${parts.map((part) => part.join('')).join(',') || ' '}]`),
    fc
      .array(fc.tuple(space, literal, space, space, tie('value'), space), { maxLength: 4 })
      .map((parts) => `{${parts.map(([a, key, b, c, one, d]) => `${a}${key}${b}:${c}${one}${d}`).join(',') || ' '}}`),
  ),
}))

const otherKey = literal.filter((key) => JSON.parse(key) !== 'data')
const dataKey = fc.constantFrom('"data"', '"d\\u0061ta"', '"\\u0064\\u0061\\u0074\\u0061"')

test('whatever surrounds it and whatever it is, data comes out as it was written', () => {
  fc.assert(
    fc.property(
      fc.tuple(space, space, space, space, space),
      dataKey,
      value,
      fc.uniqueArray(otherKey, { selector: (key): string => JSON.parse(key), maxLength: 3 }),
      value,
      fc.nat(3),
      ([a, b, c, d, e], key, data, others, otherValue, place) => {
        const members = others.map((other) => `${a}${other}${b}:${c}${otherValue}${d}`)
        members.splice(Math.min(place, members.length), 0, `${b}${key}${c}:${d}${data}${e}`)
        const text = `${a}{${members.join(',')}}${e}`
        expect(JSON.parse(text)).toHaveProperty('data')
        expect(publishedData(text)).toBe(data)
        const { rest, elements = [] } = apart(`${b}{"events"${c}:${d}[${a}${text}${b},${text}]}`, 'events') ?? {}
        expect(rest).toBe(`${b}{"events"${c}:${d}[]}`)
        expect(elements.map(publishedData)).toEqual([data, data])
      },
    ),
    { numRuns: 1000 },
  )
})

test('depth is measured as the parser sees it', () => {
  const depthOf = (one: unknown): number =>
    one !== null && typeof one === 'object' ? 1 + Math.max(0, ...Object.values(one).map(depthOf)) : 0
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 8 }), fc.nat(2), (one, indent) => {
      const depth = depthOf(one)
      const text = JSON.stringify(one, null, indent)
      expect(nestsDeeperThan(text, depth)).toBe(false)
      if (depth > 0) expect(nestsDeeperThan(text, depth - 1)).toBe(true)
    }),
    { numRuns: 500 },
  )
})

test('a million brackets need no stack and little time', () => {
  const deep = '['.repeat(1_000_000) + ']'.repeat(1_000_000)
  expect(publishedData(`{"data":${deep}}`)).toBe(deep)
  expect(nestsDeeperThan(deep, 64)).toBe(true)
  const backslashes = JSON.stringify('\\'.repeat(500_000))
  expect(publishedData(`{"data":${backslashes}}`)).toBe(backslashes)
}, 5_000)
