import { shardCount } from '@posthorn/engine'
import { expect, test } from 'vitest'
import { createGate } from './gate.ts'
import { startTestPosthorn, type TestDispatcher, type TestPosthorn } from './posthorn.ts'

const half = shardCount / 2
const allShards = Array.from({ length: shardCount }, (_, shard) => shard)

test('dispatchers divide the shards while deliveries flow, no delivery is made twice, and one that leaves hands over at once', async () => {
  await using posthorn = await startTestPosthorn()
  const first = await posthorn.dispatch({ ownDatabase: true })
  await posthorn.until(() => first.shards.length === shardCount)
  const subscriptions = await posthorn.subscribeMany(40)
  await publishMany(posthorn, 25)
  const second = await posthorn.dispatch({ ownDatabase: true })
  // A few at a time, so that deliveries are in flight whenever shards change hands.
  let published = 25
  const divided = posthorn.until(() => first.shards.length === half && second.shards.length === half)
  const isDivided = divided.then(() => true)
  while (!(await Promise.race([isDivided, deliveredNext(posthorn)]))) {
    await publishMany(posthorn, 1)
    published += 1
  }
  expect([...first.shards, ...second.shards].sort((a, b) => a - b)).toEqual(allShards)
  const before = recordedBy(second)
  await publishMany(posthorn, 25)
  published += 25
  await posthorn.recorded(published * subscriptions.length)
  // Both take part.
  expect(recordedBy(second)).toBeGreaterThan(before)
  expect(recordedBy(first)).toBeGreaterThan(0)

  await second.leave()
  await publishMany(posthorn, 1)
  published += 1
  await posthorn.recorded(published * subscriptions.length)
  expect(first.shards).toEqual(allShards)

  const expected = published * subscriptions.length
  expect(expected).toBeGreaterThanOrEqual(2_000)
  expect(posthorn.receiver.requests).toHaveLength(expected)
  expect(posthorn.receiver.requests.filter((request) => request.earlier > 0)).toEqual([])
  expect(posthorn.attempts.every(({ moved, record }) => moved && record.number === 1)).toBe(true)
  expect(await posthorn.db.prisma.delivery.count({ where: { state: 'delivered', attemptCount: 1 } })).toBe(expected)
  expect(await posthorn.db.prisma.backlog.count()).toBe(0)
}, 60_000)

test('no receiver gets more requests at once than its subscription allows while its shard goes from one dispatcher to another', async () => {
  const gate = createGate()
  await using posthorn = await startTestPosthorn({ answer: gate.answer })
  // One in every shard, so that whichever shards are given away have requests in flight.
  await Promise.all(allShards.map((shard) => posthorn.subscribe({ shard, maxInFlight: 1 })))
  await publishMany(posthorn, 4)
  const first = await posthorn.dispatch({ concurrency: 200 })
  await gate.holds(shardCount)
  const second = await posthorn.dispatch({ concurrency: 200 })
  await posthorn.until(() => first.shards.length === half)
  // The other half waits for its requests to end; as each ends, its shard is given away and goes on there.
  for (let ended = 0; ended < shardCount; ended += 8) {
    gate.let(8)
    await posthorn.recorded(ended + 8)
  }
  await posthorn.until(() => second.shards.length === half)
  gate.open()
  await posthorn.recorded(4 * shardCount)
  expect(gate.mostAtOnce).toBe(1)
  expect(recordedBy(second)).toBeGreaterThan(0)
})

test('a single dispatcher owns every shard as soon as it starts, also right after another one has left', async () => {
  await using posthorn = await startTestPosthorn()
  for (const _restart of [1, 2, 3]) {
    const dispatcher = await posthorn.dispatch()
    const owned = await posthorn.until(() => dispatcher.told.find((o) => o.what === 'shards_owned'))
    expect(owned.shards).toEqual(allShards)
    await dispatcher.leave()
    expect(dispatcher.shards).toEqual([])
  }
})

/** Resolves, with false, when one more attempt is recorded. */
async function deliveredNext(posthorn: TestPosthorn): Promise<false> {
  await posthorn.recorded(posthorn.attempts.length + 1)
  return false
}

function recordedBy(dispatcher: TestDispatcher): number {
  return dispatcher.told.filter((o) => o.what === 'attempt_recorded').length
}

async function publishMany(posthorn: TestPosthorn, count: number): Promise<void> {
  const draft = { tenantId: 'acme', type: 'invoice.paid', data: '{}' }
  const results = await posthorn.publisher.publishMany(Array.from({ length: count }, () => draft))
  expect(results.filter((result) => result instanceof Error)).toEqual([])
}
