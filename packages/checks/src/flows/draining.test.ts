import { shardCount } from '@posthorn/engine'
import { withClient } from '@posthorn/engine/testing'
import { expect, test } from 'vitest'
import { createGate } from './gate.ts'
import { startTestPosthorn, type TestPosthorn } from './posthorn.ts'

/** Starting a dispatcher takes a while where others use the machine too. */
const patience = { timeout: 15_000 }

test('a dispatcher that stops lets its attempts in flight end, begins no other, and its successor goes on at once', async () => {
  const gate = createGate()
  await using posthorn = await startTestPosthorn({ answer: gate.answer })
  const first = await posthorn.dispatch()
  await posthorn.subscribe({ maxInFlight: 5 })
  await publishMany(posthorn, 12)
  await gate.holds(5)
  const stopped = first.stop()
  gate.let(4)
  await posthorn.recorded(4)
  gate.let(1, { status: 500 })
  await stopped
  expect(first.shards).toEqual([])
  expect(first.told).toContainEqual({ what: 'dispatcher_stopped', unfinished: 0 })
  expect(posthorn.receiver.requests).toHaveLength(5)
  expect(posthorn.attempts.map(({ record }) => record.failureCode)).toEqual([null, null, null, null, 'http_5xx'])
  expect(await posthorn.db.prisma.backlog.count({ where: { leasedAt: { not: null } } })).toBe(0)

  gate.open()
  const second = await posthorn.dispatch()
  await posthorn.recorded(12)
  expect(second.shards).toHaveLength(shardCount)
  expect(posthorn.receiver.requests.filter((request) => request.earlier > 0)).toEqual([])
  await posthorn.timePasses()
  await posthorn.recorded(13)
  expect(await posthorn.db.prisma.delivery.count({ where: { state: 'delivered' } })).toBe(12)
})

test('while a stopping dispatcher waits for a slow receiver, another one already delivers for all other subscriptions', async () => {
  const slow = createGate((request) => request.path === '/hooks/1')
  await using posthorn = await startTestPosthorn({ answer: slow.answer })
  const first = await posthorn.dispatch({ drainMs: 20_000 })
  await posthorn.subscribe({ eventTypes: ['slow'], shard: 1 })
  await posthorn.subscribe({ eventTypes: ['other'], shard: 2 })
  await posthorn.publish({ type: 'slow' })
  await slow.holds(1)
  const stopped = first.stop()
  const second = await posthorn.dispatch()
  const { deliveries } = await posthorn.publish({ type: 'other' })
  const [recorded] = await posthorn.recorded(1)
  expect(recorded?.record.deliveryId).toBe(deliveries[0]?.id)
  await posthorn.until(() => second.shards.length === shardCount - 1)
  // The shard of the slow receiver follows when its request has ended.
  slow.open()
  await stopped
  await posthorn.until(() => second.shards.length === shardCount)
  expect(posthorn.attempts.map(({ record }) => record.failureCode)).toEqual([null, null])
})

test('an attempt that outlasts the drain is broken off, noted as aborted, and made again under the same id', async () => {
  const gate = createGate()
  await using posthorn = await startTestPosthorn({ answer: gate.answer })
  const first = await posthorn.dispatch({ drainMs: 1 })
  await posthorn.subscribe({ retryScheduleSeconds: [600] })
  await posthorn.publish()
  await gate.holds(1)
  await first.stop()
  expect(posthorn.attempts[0]).toMatchObject({
    moved: true,
    record: { number: 1, failureCode: 'aborted', status: null },
  })
  expect(first.told).toContainEqual({ what: 'dispatcher_stopped', unfinished: 0 })
  await posthorn.dispatch()
  await gate.holds(2)
  gate.open()
  await posthorn.recorded(2)
  const attempts = await posthorn.db.prisma.attempt.findMany({ orderBy: { number: 'asc' } })
  expect(attempts).toMatchObject([
    { number: 1, failureCode: 'aborted' },
    { number: 2, httpStatus: 204 },
  ])
  const [one, two] = posthorn.receiver.requests
  expect(two).toMatchObject({ body: one?.body, earlier: 1 })
  expect(await posthorn.db.prisma.delivery.findFirstOrThrow()).toMatchObject({ state: 'delivered', attemptCount: 2 })
})

test('an attempt broken off by a stop takes no place in the schedule', async () => {
  const gate = createGate((request) => request.headers['posthorn-attempt'] === '1')
  await using posthorn = await startTestPosthorn({
    answer: (request) => (request.headers['posthorn-attempt'] === '1' ? gate.answer(request) : { status: 500 }),
  })
  const first = await posthorn.dispatch({ drainMs: 1 })
  await posthorn.subscribe({ retryScheduleSeconds: [600] })
  await posthorn.publish()
  await gate.holds(1)
  await first.leave()
  gate.open()
  await posthorn.dispatch()
  const [, second] = await posthorn.recorded(2)
  expect(second?.record).toMatchObject({ number: 2, next: { kind: 'retry', scheduleStep: 1 } })
})

test('dispatchers that are stopped in the middle of a rush lose nothing, send nothing twice and leave no gap in the numbers', async () => {
  await using posthorn = await startTestPosthorn()
  await posthorn.subscribeMany(10)
  let published = 0
  for (const restart of [1, 2, 3, 4, 5, 6]) {
    const dispatcher = await posthorn.dispatch({ concurrency: 16 })
    await publishMany(posthorn, 20)
    published += 20
    // Each is stopped after a few more requests than the one before it.
    await posthorn.received(posthorn.receiver.requests.length + restart * restart)
    await dispatcher.stop()
  }
  await posthorn.dispatch()
  await posthorn.recorded(published * 10)
  expect(posthorn.receiver.requests).toHaveLength(published * 10)
  expect(posthorn.receiver.requests.filter((request) => request.earlier > 0)).toEqual([])
  const deliveries = await posthorn.db.prisma.delivery.findMany()
  expect(deliveries.every(({ state, attemptCount }) => state === 'delivered' && attemptCount === 1)).toBe(true)
  expect(posthorn.attempts.every(({ record, moved }) => record.number === 1 && moved)).toBe(true)
})

test('what was claimed while the stop began is given back unsent, as if it had not been claimed', async () => {
  await using posthorn = await startTestPosthorn()
  await posthorn.subscribe()
  await publishMany(posthorn, 3)
  const first = await withClient(posthorn.url, async (other) => {
    await other.query('begin')
    await other.query('lock table backlog in access exclusive mode')
    const dispatcher = await posthorn.dispatch()
    // Its claim and its look for what has become due.
    await expect
      .poll(async () => {
        const { rows } = await other.query(
          `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
        )
        return rows.length
      }, patience)
      .toBe(2)
    const stopped = dispatcher.stop()
    await other.query('commit')
    await stopped
    return dispatcher
  })
  expect(first.told).toContainEqual({ what: 'dispatcher_stopped', unfinished: 0 })
  expect(posthorn.receiver.requests).toEqual([])
  expect(await posthorn.db.prisma.backlog.count({ where: { ready: true, attemptNumber: 0, leasedAt: null } })).toBe(3)
  await posthorn.dispatch()
  await posthorn.recorded(3)
  expect(posthorn.attempts.map(({ record }) => record.number)).toEqual([1, 1, 1])
})

test('stopping twice, or while nothing is owned yet, is stopping once', async () => {
  await using posthorn = await startTestPosthorn()
  const dispatcher = await posthorn.dispatch()
  await Promise.all([dispatcher.stop(), dispatcher.stop()])
  await dispatcher.stop()
  expect(dispatcher.told.filter((o) => o.what === 'dispatcher_stopped')).toHaveLength(1)
  expect(dispatcher.shards).toEqual([])
  expect(await posthorn.db.prisma.dispatcher.count()).toBe(0)
})

test('a stopped dispatcher works no jobs any more', async () => {
  await using posthorn = await startTestPosthorn()
  const dispatcher = await posthorn.dispatch()
  const worked = () => dispatcher.jobs.boss.getWipData().map((one) => one.name)
  expect(worked()).toContain('hold-deliveries')
  await dispatcher.stop()
  expect(worked()).toEqual([])
})

async function publishMany(posthorn: TestPosthorn, count: number): Promise<void> {
  const draft = { tenantId: 'acme', type: 'invoice.paid', data: '{}' }
  const results = await posthorn.publisher.publishMany(Array.from({ length: count }, () => draft))
  expect(results.filter((result) => result instanceof Error)).toEqual([])
}
