import { Type } from 'typebox'
import { expect, test } from 'vitest'
import { Nullable } from './nullable.ts'
import { named, reference } from './reference.ts'

test('null is said in the short form where there is one', () => {
  expect(Nullable(Type.String({ maxLength: 3 }))).toEqual({ type: ['string', 'null'], maxLength: 3 })
  expect(Nullable(Type.Enum(['a', 'b'], { type: 'string' }))).toEqual({
    type: ['string', 'null'],
    enum: ['a', 'b', null],
  })
  expect(Nullable(reference(named('Thing', Type.Object({}))))).toEqual({
    anyOf: [{ $ref: 'Thing#' }, { type: 'null' }],
  })
})
