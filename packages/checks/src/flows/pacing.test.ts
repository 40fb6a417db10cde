import { rateBurst } from '@posthorn/engine'
import { expect, test } from 'vitest'
import { createGate } from './gate.ts'
import { startTestPosthorn, type TestPosthorn } from './posthorn.ts'

test('a receiver gets no more requests than its rate allows and one burst, and waiting for it takes no attempt', async () => {
  const ratePerSecond = 20
  const arrivals: number[] = []
  await using posthorn = await startTestPosthorn({
    answer: () => {
      arrivals.push(performance.now())
      return { status: 204 }
    },
  })
  await posthorn.subscribe({ rateLimitPerSecond: ratePerSecond })
  await publishMany(posthorn, 30)
  const beganMs = performance.now()
  await posthorn.dispatch()
  await posthorn.recorded(30)
  // The bucket was full at the beginning at the earliest, so each request has a time before which it cannot come.
  const earliest = arrivals.map((_, index) => ((index + 1 - rateBurst(ratePerSecond)) * 1000) / ratePerSecond)
  expect(arrivals.filter((atMs, index) => atMs - beganMs < (earliest[index] ?? 0))).toEqual([])
  expect(earliest.at(-1)).toBe(1_250)
  expect(posthorn.attempts.map(({ record }) => [record.number, record.next.kind])).toEqual(
    arrivals.map(() => [1, 'delivered']),
  )
})

test('while one subscription waits for its rate, nothing of it is claimed, and the others do not wait', async () => {
  await using posthorn = await startTestPosthorn()
  const limited = await posthorn.subscribe({ eventTypes: ['limited'], rateLimitPerSecond: 1 })
  await posthorn.subscribe({ eventTypes: ['other'], shard: limited.shard })
  await publishMany(posthorn, 50, { type: 'limited' })
  await publishMany(posthorn, 100, { type: 'other' })
  const beganMs = performance.now()
  const dispatcher = await posthorn.dispatch()
  await posthorn.until(() => recordedOf(posthorn, 'other') === 100)
  const claimed = await posthorn.db.prisma.backlog.count({ where: { attemptNumber: { gt: 0 } } })
  const sent = posthorn.receiver.requests.filter(({ path }) => path === limited.path).length
  const allowed = 1 + Math.floor((performance.now() - beganMs) / 1000)
  expect(claimed).toBeLessThanOrEqual(allowed)
  expect(sent).toBeLessThanOrEqual(allowed)
  await dispatcher.leave()
})

test('a tenant with many busy subscriptions leaves the next slot to a tenant with one', async () => {
  const gate = createGate()
  await using posthorn = await startTestPosthorn({ answer: gate.answer })
  await Promise.all(Array.from({ length: 60 }, () => posthorn.subscribe({ tenantId: 'big', eventTypes: ['rush'] })))
  const small = await posthorn.subscribe({ tenantId: 'small', eventTypes: ['*'] })
  await publishMany(posthorn, 5, { tenantId: 'big', type: 'rush' })
  const dispatcher = await posthorn.dispatch({ concurrency: 16, drainMs: 1 })
  await gate.holds(16)
  await publishMany(posthorn, 20, { tenantId: 'small' })
  for (let ended = 1; ended <= 8; ended += 1) {
    gate.let(1)
    await posthorn.recorded(ended)
    await gate.holds(16)
  }
  // All went to it until it had half of the slots.
  expect(posthorn.receiver.requests.slice(16).map(({ path }) => path)).toEqual(
    Array.from({ length: 8 }, () => small.path),
  )
  for (let ended = 9; ended <= 24; ended += 1) {
    gate.let(1)
    await posthorn.recorded(ended)
    await gate.holds(16)
  }
  const held = gate.waiting.filter(({ path }) => path === small.path).length
  expect(held).toBeGreaterThanOrEqual(7)
  expect(held).toBeLessThanOrEqual(9)
  await dispatcher.leave()
})

test('receivers that never answer may fill every slot, and still the others get theirs before any time is over', async () => {
  const gate = createGate(({ body }) => body.includes('"hangs"'))
  await using posthorn = await startTestPosthorn({ answer: gate.answer })
  const slow = await Promise.all(
    Array.from({ length: 6 }, () => posthorn.subscribe({ eventTypes: ['hangs'], timeoutMs: 30_000 })),
  )
  await posthorn.subscribe({ eventTypes: ['fine'] })
  await publishMany(posthorn, 10, { type: 'hangs' })
  const dispatcher = await posthorn.dispatch({ concurrency: 16, lateAfterMs: 500 })
  await gate.holds(16)
  await publishMany(posthorn, 200, { type: 'fine' })
  await posthorn.until(() => recordedOf(posthorn, 'fine') === 200)
  // Nobody of those that hang has timed out: their slots were lent to the others.
  expect(recordedOf(posthorn, 'hangs')).toBe(0)
  expect(gate.waiting.length).toBeGreaterThanOrEqual(16)
  await posthorn.until(() => moves(posthorn, 'slow_lane_entered') === slow.length)

  gate.open()
  await posthorn.recorded(260)
  // Out of the lane again, by answers that come in time.
  for (let more = 1; moves(posthorn, 'slow_lane_left') < moves(posthorn, 'slow_lane_entered'); more += 1) {
    await publishMany(posthorn, 1, { type: 'hangs' })
    await posthorn.recorded(260 + more * slow.length)
  }
  await dispatcher.leave()
})

test('a subscription that times out again and again holds no more than its lane has room for, and gets on in it', async () => {
  const gate = createGate(({ body }) => body.includes('"hangs"'))
  await using posthorn = await startTestPosthorn({ answer: gate.answer })
  await posthorn.subscribe({ eventTypes: ['hangs'], timeoutMs: 1_000, maxInFlight: 3, retryScheduleSeconds: [0, 0] })
  await publishMany(posthorn, 3, { type: 'hangs' })
  await posthorn.dispatch({ concurrency: 4 })
  await posthorn.until(() => moves(posthorn, 'slow_lane_entered') === 1)
  const before = gate.waiting.length
  // One of four slots is the lane's, so now one at a time.
  await posthorn.recorded(5)
  const [first, second] = [posthorn.attempts[3], posthorn.attempts[4]]
  const ended = (one: typeof first) => (one?.record.startedAt.getTime() ?? 0) + (one?.record.totalMs ?? 0)
  expect(before).toBe(3)
  expect(second?.record.startedAt.getTime()).toBeGreaterThanOrEqual(Math.floor(ended(first)) - 1)
  gate.open()
})

function recordedOf(posthorn: TestPosthorn, type: string): number {
  return posthorn.attempts.filter(({ record }) => record.requestHeaders['posthorn-event-type'] === type).length
}

function moves(posthorn: TestPosthorn, what: 'slow_lane_entered' | 'slow_lane_left'): number {
  return posthorn.told.filter((occurrence) => occurrence.what === what).length
}

async function publishMany(
  posthorn: TestPosthorn,
  count: number,
  { type = 'invoice.paid', tenantId = 'acme' } = {},
): Promise<void> {
  const draft = { tenantId, type, data: '{}' }
  const results = await posthorn.publisher.publishMany(Array.from({ length: count }, () => draft))
  expect(results.filter((result) => result instanceof Error)).toEqual([])
}
