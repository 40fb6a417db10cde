import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { shardCount, shardOf } from './shards.ts'
import { newUuid } from './world.ts'

test('subscriptions are spread evenly over all shards, and each stays in its own', () => {
  const ids = Array.from({ length: 64 * 200 }, () => newUuid({ now: () => 1_800_000_000_000, randomBytes }))
  const counts = new Map<number, number>()
  for (const id of ids) {
    expect(shardOf(id)).toBe(shardOf(id.toLowerCase()))
    counts.set(shardOf(id), (counts.get(shardOf(id)) ?? 0) + 1)
  }
  expect([...counts.keys()].sort((a, b) => a - b)).toEqual(Array.from({ length: shardCount }, (_, shard) => shard))
  // 200 expected in each, 14 the standard deviation.
  expect(Math.min(...counts.values())).toBeGreaterThan(100)
  expect(Math.max(...counts.values())).toBeLessThan(300)
})
