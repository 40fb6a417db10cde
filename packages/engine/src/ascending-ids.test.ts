import { uuidTime } from '@posthorn/contract'
import { expect, test } from 'vitest'
import { createAscendingIds } from './ascending-ids.ts'

/** A clock that is set by hand, and bytes that are all the same. */
function worldOf(byte: number) {
  const world = {
    nowMs: 1_700_000_000_000,
    now: () => world.nowMs,
    randomBytes: (n: number) => new Uint8Array(n).fill(byte),
  }
  return world
}

test.each([0, 0xff])(
  'ids of one millisecond ascend in the order in which they were made (random bytes 0x%i)',
  (byte) => {
    const next = createAscendingIds(worldOf(byte))
    const ids = Array.from({ length: 5_000 }, next)
    expect(ids.toSorted()).toEqual(ids)
    expect(new Set(ids).size).toBe(ids.length)
    expect(ids.every((id) => /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id))).toBe(
      true,
    )
  },
)

test('ids carry the time, and keep ascending when the clock stands still or goes back', () => {
  const world = worldOf(0xff)
  const next = createAscendingIds(world)
  const ids = [next()]
  for (const step of [1, 0, 0, -5, 0, 3, 10]) {
    world.nowMs += step
    ids.push(next())
  }
  expect(ids.toSorted()).toEqual(ids)
  expect(ids.map((id) => uuidTime(id) - 1_700_000_000_000)).toEqual([0, 1, 1, 1, 1, 1, 1, 9])
})
