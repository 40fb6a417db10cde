import { expect, test } from 'vitest'
import { ExactJson, writeExactJson } from './exact-json.ts'

test('exact texts are written as they stand, everything else as JSON.stringify would', () => {
  const value = {
    a: 'x"\u2028',
    none: undefined,
    list: [1, null, { b: true }],
    when: new Date(0),
    exact: new ExactJson('{"z":1.0,"z":12345678901234567890}'),
    nested: { deep: [new ExactJson(' 1 ')] },
  }
  expect(writeExactJson(value)).toBe(
    '{"a":"x\\"\u2028","list":[1,null,{"b":true}],"when":"1970-01-01T00:00:00.000Z","exact":{"z":1.0,"z":12345678901234567890},"nested":{"deep":[ 1 ]}}',
  )
  const { exact: _, nested: __, ...plain } = value
  expect(writeExactJson(plain)).toBe(JSON.stringify(plain))
})
