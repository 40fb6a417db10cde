import fc from 'fast-check'
import { expect, test } from 'vitest'
import { jsonFault } from './json-faults.ts'

const deep = { depthMax: 64 }

test.each([
  ['{"a":1,"a":2}', '/a'],
  ['{"a":1,"\\u0061":2}', '/a'],
  ['{"":1,"":2}', '/'],
  ['{"a/b~c":1,"a/b~c":2}', '/a~1b~0c'],
  ['[0,[{"b":{"x":1}},{"b":{"x":[],"y":"}","x":{}}}]]', '/1/1/b/x'],
  ['{"data":{"a":1,"a":2},"more":{"a":1,"a":2}}', '/more/a'],
  ['{"data":1,"data":2}', '/data'],
  ['{"more":{"data":{"a":1,"a":2}}}', '/more/data/a'],
  ['[{"data":{"a":1,"a":2}}]', '/0/data/a'],
  ['{"__proto__":1,"__proto__":2}', '/__proto__'],
])('of %s the member %s is told, for it is given twice', (text, pointer) => {
  expect(jsonFault(text, { ...deep, kept: 'data' })).toEqual({ pointer, detail: 'is given twice' })
})

test.each([
  '{}',
  '[]',
  '7',
  '"a"',
  '{"a":"a","b":{"a":["a","a",{"a":1}]}}',
  '{"a":"\\"a\\":1,\\"a\\":2"}',
  '{"data":{"a":1,"a":2,"b":[{"c":1,"c":2}]},"a":[1]}',
  '{"A":1,"a":2}',
  '[{"a":1},{"a":1}]',
])('%s is as it may be', (text) => {
  expect(jsonFault(text, { ...deep, kept: 'data' })).toBeUndefined()
})

test('what is nested too deeply is told of the member that holds it, also where its text is kept', () => {
  const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`
  const detail = 'is nested deeper than 63 levels'
  expect(jsonFault(nested(64), deep)).toBeUndefined()
  expect(jsonFault(nested(65), deep)).toEqual({ pointer: '/0', detail })
  expect(jsonFault(`[1,${nested(64)}]`, deep)).toEqual({ pointer: '/1', detail })
  for (const kept of ['data', undefined]) {
    expect(jsonFault(`{"data":${nested(63)}}`, { ...deep, kept })).toBeUndefined()
    expect(jsonFault(`{"a":1,"data":${nested(64)}}`, { ...deep, kept })).toEqual({ pointer: '/data', detail })
    expect(jsonFault(`{"a":1,"data":${nested(1_000_000)}}`, { ...deep, kept })).toEqual({ pointer: '/data', detail })
  }
}, 5_000)

const names = fc.constantFrom('"a"', '"b"', '"\\u0061"', '"data"', '""')
const { value } = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom('1', '"a"', '",{"', '"\\\\"', 'null', '{}', '[]'),
    fc.array(tie('value'), { maxLength: 3 }).map((parts) => `[${parts.join(', ')}]`),
    fc
      .array(fc.tuple(names, tie('value')), { maxLength: 3 })
      .map((parts) => `{${parts.map(([name, one]) => `${name} : ${one}`).join(' ,')}}`),
  ),
}))

/** The number of members that the parser knows. */
function membersIn(one: unknown): number {
  if (one === null || typeof one !== 'object') return 0
  const own = Array.isArray(one) ? 0 : Object.keys(one).length
  return own + Object.values(one).reduce<number>((sum, member) => sum + membersIn(member), 0)
}

test('a fault is told exactly when the parser drops a member', () => {
  fc.assert(
    fc.property(value, (text) => {
      let count = 0
      // Each name of the text, made one of its own.
      const apart = text.replaceAll(/"[^"]*" :/g, () => {
        count += 1
        return `"n${count}" :`
      })
      const dropsSome = membersIn(JSON.parse(text)) < membersIn(JSON.parse(apart))
      expect(jsonFault(text, deep) !== undefined).toBe(dropsSome)
    }),
    { numRuns: 2_000 },
  )
})
