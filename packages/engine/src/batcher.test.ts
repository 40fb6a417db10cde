import { expect, test } from 'vitest'
import { BatcherFull, createBatcher } from './batcher.ts'

/** A run that notes its batches and ends when told. */
function gated<T>() {
  const batches: T[][] = []
  const gates: PromiseWithResolvers<void>[] = []
  return {
    batches,
    open: () => gates.shift()?.resolve(),
    async run(items: readonly T[]): Promise<T[]> {
      batches.push([...items])
      const gate = Promise.withResolvers<void>()
      gates.push(gate)
      await gate.promise
      return [...items]
    },
  }
}

test('an item that finds nothing running goes at once, and those that come meanwhile go together', async () => {
  const gate = gated<number>()
  const batcher = createBatcher({ run: gate.run, itemsMax: 10, parallel: 1, waitingMax: 100 })
  const all = Promise.all([1, 2, 3].map((item) => batcher.add(item)))
  expect(gate.batches).toEqual([[1]])
  expect(batcher.waiting).toBe(2)
  gate.open()
  await expect.poll(() => gate.batches.length).toBe(2)
  gate.open()
  expect(await all).toEqual([1, 2, 3])
  expect(gate.batches).toEqual([[1], [2, 3]])
})

test('a batch is bounded by its items and by its weight, and one heavy item still goes', async () => {
  const gate = gated<number>()
  const batcher = createBatcher({
    run: gate.run,
    itemsMax: 3,
    parallel: 1,
    waitingMax: 100,
    weigh: (n) => n,
    weightMax: 10,
  })
  const all = Promise.all([1, 4, 4, 4, 99, 1, 1, 1, 1].map((item) => batcher.add(item)))
  const opened = Promise.all(
    [1, 2, 3, 4, 5, 6].map((count) =>
      expect
        .poll(() => gate.batches.length)
        .toBeGreaterThanOrEqual(count)
        .then(gate.open),
    ),
  )
  await all
  await opened.catch(() => undefined)
  expect(gate.batches).toEqual([[1], [4, 4], [4], [99], [1, 1, 1], [1]])
})

test('one more than may wait is refused, and the others are unharmed', async () => {
  const gate = gated<number>()
  const batcher = createBatcher({ run: gate.run, itemsMax: 10, parallel: 1, waitingMax: 1 })
  const first = batcher.add(1)
  const second = batcher.add(2)
  await expect(batcher.add(3)).rejects.toBeInstanceOf(BatcherFull)
  gate.open()
  expect(await first).toBe(1)
  await expect.poll(() => gate.batches.length).toBe(2)
  gate.open()
  expect(await second).toBe(2)
  await batcher.idle()
})

test('a bad item fails alone where the batch may be tried again item by item', async () => {
  const batcher = createBatcher<number, number>({
    async run(items) {
      await Promise.resolve()
      if (items.includes(13)) throw new RangeError('thirteen')
      return [...items]
    },
    itemsMax: 10,
    parallel: 1,
    waitingMax: 100,
    mayRunAlone: (error) => error instanceof RangeError,
  })
  const results = await Promise.allSettled([1, 2, 13, 4].map((item) => batcher.add(item)))
  expect(results.map((result) => result.status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled'])
})

test('a batch that may not be tried again fails as a whole', async () => {
  const batcher = createBatcher<number, number>({
    async run(items) {
      await Promise.resolve()
      if (items.length > 1) throw new Error('connection lost, outcome unknown')
      return [...items]
    },
    itemsMax: 10,
    parallel: 1,
    waitingMax: 100,
  })
  const results = await Promise.allSettled([1, 2, 3].map((item) => batcher.add(item)))
  expect(results.map((result) => result.status)).toEqual(['fulfilled', 'rejected', 'rejected'])
})
