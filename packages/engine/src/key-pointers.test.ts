import fc from 'fast-check'
import { expect, test } from 'vitest'
import { keysOfEvent } from './key-pointers.ts'

function read(pointer: string, data: string): string | undefined {
  return keysOfEvent({}, { key: pointer }, data)['key']
}

test.each([
  ['/order/id', '{"order":{"id":"ord_42"}}', 'ord_42'],
  ['/order/id', ' { "order" : { "id" : 12345678901234567890 } }', '12345678901234567890'],
  ['/lines/1/sku', '{"lines":[{"sku":"a"},{"sku":"b"}]}', 'b'],
  ['/0', '["first"]', 'first'],
  ['/0', '{"0":"a member"}', 'a member'],
  ['/a~1b/c~0d', '{"a/b":{"c~d":"x"}}', 'x'],
  ['/~01', '{"~1":"x"}', 'x'],
  ['/', '{"":"the empty name"}', 'the empty name'],
  ['/n', '{"n":-7}', '-7'],
  ['/name', String.raw`{"n\u0061me":"caf\u00e9 \ud83d\udc4d"}`, 'café 👍'],
  ['/__proto__', '{"__proto__":"own"}', 'own'],
  ['/s', `{"s":"${'😀'.repeat(256)}"}`, '😀'.repeat(256)],
])('the pointer %s finds a key in %s', (pointer, data, key) => {
  expect(read(pointer, data)).toBe(key)
})

test.each([
  ['/a', '{}'],
  ['/a', '{"a":null}'],
  ['/a', '{"a":true}'],
  ['/a', '{"a":{}}'],
  ['/a', '{"a":["x"]}'],
  ['/a', '{"a":1.0}'],
  ['/a', '{"a":1e3}'],
  ['/a', '{"a":""}'],
  ['/a/b', '{"a":"b"}'],
  ['/a/length', '{"a":[]}'],
  ['/constructor/name', '{}'],
  ['/00', '["x"]'],
  ['/-', '["x"]'],
  ['/1', '["x"]'],
  ['/a', '"text"'],
  ['/a', '{"a":"x","a":"y"}'],
  ['/a', String.raw`{"a":"nul \u0000"}`],
  ['/a', String.raw`{"a":"half \ud800"}`],
  ['/a', `{"a":"${'x'.repeat(257)}"}`],
  ['/a', `{"a":${'1'.repeat(257)}}`],
])('the pointer %s finds no key in %s, and nothing fails', (pointer, data) => {
  expect(read(pointer, data)).toBeUndefined()
})

test('what the publisher names goes first, and there are never more keys than may be', () => {
  const data = JSON.stringify({ order: 'from data', invoice: 'in_1' })
  expect(keysOfEvent({ order: 'given' }, { order: '/order', invoice: '/invoice' }, data)).toEqual({
    order: 'given',
    invoice: 'in_1',
  })
  const given = Object.fromEntries(Array.from({ length: 15 }, (_, index) => [`k${index}`, 'v']))
  expect(Object.keys(keysOfEvent(given, { order: '/order', invoice: '/invoice' }, data))).toHaveLength(16)
})

test('for any data and any path a key is what JavaScript finds there, when that is a text', () => {
  const name = fc.string({ maxLength: 4 })
  fc.assert(
    fc.property(fc.json(), fc.array(name, { minLength: 1, maxLength: 4 }), name, (json, path, value) => {
      const inner: unknown = path.reduceRight<unknown>(
        (held, token) => ({ [token]: held, other: JSON.parse(json) }),
        value,
      )
      const pointer = path.map((token) => `/${token.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
      // A computed member named `other` or `__proto__` is not what the path says.
      fc.pre(!path.includes('other') && !path.includes('__proto__') && !value.includes('\0') && value.isWellFormed())
      expect(read(pointer, JSON.stringify(inner))).toBe(value === '' ? undefined : value)
    }),
  )
})
