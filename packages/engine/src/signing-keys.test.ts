import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { createKeyRing } from './signing-keys.ts'

test('a secret is read once, and the same key is given for it from then on', () => {
  const keyOf = createKeyRing()
  const [one, other] = [randomBytes(36).toString('base64'), randomBytes(36).toString('base64')]
  const key = keyOf(one)
  expect(keyOf(other)).not.toBe(key)
  expect(keyOf(one)).toBe(key)
})

test('what is used again and again is kept, whatever comes and goes meanwhile', () => {
  const keyOf = createKeyRing()
  const secretOf = (number: number) => Buffer.alloc(36, `${number}`.padStart(36, '0')).toString('base64')
  const [favourite, forgotten] = [secretOf(-1), secretOf(-2)]
  const [kept, lost] = [keyOf(favourite), keyOf(forgotten)]
  for (let number = 0; number < 10_001; number += 1) {
    keyOf(secretOf(number))
    keyOf(favourite)
  }
  expect(keyOf(favourite)).toBe(kept)
  expect(keyOf(forgotten)).not.toBe(lost)
})

test('what is no secret is refused each time it is asked for', () => {
  const keyOf = createKeyRing()
  for (const _time of [1, 2]) expect(() => keyOf('c2hvcnQ=')).toThrow()
})
