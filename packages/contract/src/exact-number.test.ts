import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compareNumbers, ExactNumber, type JsonNumber, numberKey, readExactJson } from './exact-number.ts'

const numberText = fc.oneof(
  fc.stringMatching(/^-?(0|[1-9]\d{0,24})(\.\d{1,24})?([eE][+-]?\d{1,2})?$/),
  fc.stringMatching(/^-?(0|[1-9]\d{0,2})(\.\d{1,2})?([eE][+-]?\d{1,3})?$/),
  fc.constantFrom(
    '0',
    '-0',
    '0.0e5',
    '1',
    '1.0',
    '1e0',
    '10e-1',
    '9007199254740993',
    '9007199254740992',
    '1e400',
    '1e-400',
  ),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
)

test('numbers compare as what is written says, however long they are', () => {
  fc.assert(
    fc.property(numberText, numberText, (a, b) => {
      const [x, y] = [numberOf(a), numberOf(b)]
      const expected = Math.sign(Number(scaled(a) > scaled(b)) - Number(scaled(a) < scaled(b)))
      expect(Math.sign(compareNumbers(x, y))).toBe(expected)
      expect(numberKey(x) === numberKey(y)).toBe(expected === 0)
    }),
    { numRuns: 5_000 },
  )
})

test('reading JSON and printing it again keeps every number', () => {
  fc.assert(
    fc.property(fc.array(numberText, { maxLength: 5 }), (texts) => {
      const printed: unknown = JSON.parse(
        JSON.stringify(readExactJson(`[${texts}]`)),
        (_name, value, context?: { source?: string }) => context?.source ?? value,
      )
      expect((printed as string[]).map(scaled)).toEqual(texts.map(scaled))
    }),
  )
})

test.each([
  ['12345678901234567890', true],
  ['9007199254740993', true],
  ['9007199254740991', false],
  ['0.1000000000000000055511151231257827', true],
  ['0.1', false],
  ['1.0', false],
  ['1.00000000000000000000', false],
  ['1e400', true],
  ['1e-400', true],
  ['0e400', false],
  ['100000000000000000000', false],
])('%s keeps its text: %s', (text, expected) => {
  expect(readExactJson(text) instanceof ExactNumber).toBe(expected)
})

test('what is no number is read as JSON.parse reads it', () => {
  const text = '{"a":"12345678901234567890","__proto__":[1e400],"b":[true,null]}'
  const value = readExactJson(text)
  expect(JSON.stringify(value)).toBe(text)
  expect(Object.keys(Object(value))).toEqual(['a', '__proto__', 'b'])
})

test('a number as long as an event may be costs no more than its length', { timeout: 5_000 }, () => {
  const zeros = '0'.repeat(250_000)
  const [a, b, c] = [`1${zeros}1`, `0.${zeros}1${zeros}`, `1e${'9'.repeat(250_000)}`].map(numberOf)
  if (a === undefined || b === undefined || c === undefined) throw new Error('three numbers were read')
  expect([compareNumbers(a, b), compareNumbers(c, a), compareNumbers(b, 0)].map(Math.sign)).toEqual([1, 1, 1])
})

function numberOf(text: string): JsonNumber {
  return readExactJson(text) as JsonNumber // the texts are numbers
}

/** The number as an integer, in units of 10^-1100. */
function scaled(text: string): bigint {
  const [mantissa = '', exponent = '0'] = text.toLowerCase().split('e')
  const [whole = '', fraction = ''] = mantissa.split('.')
  return BigInt(whole + fraction) * 10n ** BigInt(1100 + Number(exponent) - fraction.length)
}
