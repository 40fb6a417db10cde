import { expect, test } from 'vitest'
import { createGate } from './gate.ts'
import { startTestPosthorn, type TestPosthorn } from './posthorn.ts'

test('a receiver never gets more requests at once than its subscription allows, and as one ends the next one goes', async () => {
  const gate = createGate()
  await using posthorn = await startTestPosthorn({ answer: gate.answer })
  await posthorn.dispatch()
  const subscription = await posthorn.subscribe({ maxInFlight: 3 })
  await publishMany(posthorn, 12)
  await gate.holds(3)
  for (let ended = 1; ended <= 9; ended += 1) {
    gate.let(1, { status: ended % 2 === 0 ? 204 : 500 })
    await posthorn.recorded(ended)
    await gate.holds(3)
  }
  gate.open()
  await posthorn.recorded(12)
  expect(gate.mostAtOnce).toBe(3)
  expect(posthorn.receiver.requests.every((request) => request.path === subscription.path)).toBe(true)
})

test('a dispatcher makes no more attempts at once than it has slots', async () => {
  const gate = createGate()
  await using posthorn = await startTestPosthorn({ answer: gate.answer })
  await posthorn.subscribe({ maxInFlight: 1_000 })
  await publishMany(posthorn, 60)
  await posthorn.dispatch({ concurrency: 8 })
  await gate.holds(8)
  for (let answered = 4; answered <= 48; answered += 4) {
    gate.let(4)
    await posthorn.recorded(answered)
    await gate.holds(8)
  }
  gate.open()
  await posthorn.recorded(60)
  expect(gate.mostAtOnce).toBe(8)
})

test('a slow receiver holds its own slot and nobody else’s', async () => {
  const slow = createGate((request) => request.path === '/hooks/1')
  await using posthorn = await startTestPosthorn({ answer: slow.answer })
  await posthorn.dispatch({ concurrency: 2 })
  await posthorn.subscribe({ eventTypes: ['slow'] })
  await posthorn.subscribe({ eventTypes: ['fast'] })
  await posthorn.publish({ type: 'slow' })
  await slow.holds(1)
  await publishMany(posthorn, 40, { type: 'fast' })
  await posthorn.recorded(40)
  expect(slow.waiting).toHaveLength(1)
  slow.open()
  await posthorn.recorded(41)
})

test('five thousand waiting deliveries of one slow subscription do not delay another one', async () => {
  const slow = createGate((request) => request.path === '/hooks/1')
  await using posthorn = await startTestPosthorn({ answer: slow.answer })
  await posthorn.subscribe({ eventTypes: ['rush'] })
  await posthorn.subscribe({ eventTypes: ['other'] })
  await publishMany(posthorn, 5_000, { type: 'rush' })
  const dispatcher = await posthorn.dispatch({ drainMs: 1 })
  await slow.holds(10)
  const { deliveries } = await posthorn.publish({ type: 'other' })
  const [first] = await posthorn.recorded(1)
  expect(first?.record).toMatchObject({ deliveryId: deliveries[0]?.id, number: 1 })
  expect(slow.mostAtOnce).toBe(10)
  await dispatcher.leave()
})

test('when a rush has taken every slot, the first one that gets free goes to another subscription', async () => {
  const gate = createGate()
  await using posthorn = await startTestPosthorn({ answer: gate.answer })
  // In one shard and in different ones, before and behind the rush.
  await posthorn.subscribe({ eventTypes: ['rush'], maxInFlight: 1_000, shard: 30 })
  for (const shard of [30, 29, 31]) await posthorn.subscribe({ eventTypes: ['other'], shard })
  await publishMany(posthorn, 500, { type: 'rush' })
  const dispatcher = await posthorn.dispatch({ concurrency: 8, drainMs: 1 })
  await gate.holds(8)
  await posthorn.publish({ type: 'other' })
  for (const ended of [1, 2, 3]) {
    gate.let(1)
    await posthorn.recorded(ended)
    await gate.holds(8)
  }
  // One slot after the other got free, and the rush had the last one before: three turns are one for each of the others,
  // or two and one of the rush, which shares the shard of one of them.
  const next = posthorn.receiver.requests.slice(8, 11).map((request) => request.path)
  expect(next.filter((path) => path !== '/hooks/1').length).toBeGreaterThanOrEqual(2)
  await dispatcher.leave()
})

test('three hundred subscriptions share eight slots, and each gets all of its events', async () => {
  await using posthorn = await startTestPosthorn()
  const subscriptions = await posthorn.subscribeMany(300)
  await publishMany(posthorn, 3)
  await posthorn.dispatch({ concurrency: 8 })
  await posthorn.recorded(900)
  const requests = Map.groupBy(posthorn.receiver.requests, (request) => request.path)
  expect(subscriptions.map(({ path }) => requests.get(path)?.length)).toEqual(subscriptions.map(() => 3))
  expect(posthorn.receiver.requests.every(({ earlier, signature }) => earlier === 0 && signature === 'valid')).toBe(
    true,
  )
})

test('a slowed-down subscription keeps none of its neighbours waiting', async () => {
  await using posthorn = await startTestPosthorn()
  // Enough of them in one shard that one look of the dispatcher does not reach past them.
  await posthorn.subscribeMany(60, { eventTypes: ['slowed'], shard: 9 })
  const last = await posthorn.subscribe({ eventTypes: ['other'], shard: 9 })
  await publishMany(posthorn, 2, { type: 'slowed' })
  await posthorn.db.prisma.subscription.updateMany({
    where: { id: { not: last.id } },
    data: { notBefore: new Date(Date.now() + 3_600_000) },
  })
  const { deliveries } = await posthorn.publish({ type: 'other' })
  await posthorn.dispatch({ concurrency: 8 })
  const [first] = await posthorn.recorded(1)
  expect(first?.record.deliveryId).toBe(deliveries[0]?.id)
  expect(posthorn.receiver.requests).toHaveLength(1)
})

async function publishMany(posthorn: TestPosthorn, count: number, { type = 'invoice.paid' } = {}): Promise<void> {
  const draft = { tenantId: 'acme', type, data: '{}' }
  const results = await posthorn.publisher.publishMany(Array.from({ length: count }, () => draft))
  expect(results.filter((result) => result instanceof Error)).toEqual([])
}
