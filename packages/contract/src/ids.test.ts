import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatId, idPattern, parseId, uuidFloor, uuidTime, uuidV7 } from './ids.ts'

const random = fc.uint8Array({ minLength: 10, maxLength: 10 })
const time = fc.integer({ min: 0, max: 2 ** 47 })

test('an id is read back as the uuid it was made from, and fits its pattern', () => {
  fc.assert(
    fc.property(time, random, (ms, bytes) => {
      const uuid = uuidV7(ms, bytes)
      const id = formatId('event', uuid)
      expect(parseId('event', id)).toBe(uuid)
      expect(id).toMatch(new RegExp(idPattern('event')))
      expect(uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
      expect(uuidTime(uuid)).toBe(ms)
    }),
  )
})

test('ids sort by the time they were made', () => {
  fc.assert(
    fc.property(time, time, random, random, (first, second, a, b) => {
      fc.pre(first < second)
      expect(formatId('event', uuidV7(first, a)) < formatId('event', uuidV7(second, b))).toBe(true)
      expect(uuidV7(first, a) < uuidFloor(second)).toBe(true)
      expect(uuidFloor(first) <= uuidV7(first, a)).toBe(true)
    }),
  )
})

test.each([
  ['', 'nothing'],
  ['evt_', 'a prefix alone'],
  ['sub_01jd8x00000000000000000000', 'the id of another noun'],
  ['evt_01JD8X00000000000000000000', 'upper case'],
  ['evt_01jd8xu0000000000000000000', 'a letter that is not in the alphabet'],
  ['evt_8zzzzzzzzzzzzzzzzzzzzzzzzz', 'more than 128 bits'],
  ['evt_01jd8x000000000000000000000', 'one character too many'],
])('%s is no event id: %s', (text) => {
  expect(parseId('event', text)).toBeUndefined()
})
