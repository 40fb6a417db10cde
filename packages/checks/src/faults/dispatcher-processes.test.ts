import { shardCount } from '@posthorn/engine'
import { expect, test } from 'vitest'
import { createGate } from '../flows/gate.ts'
import { startTestPosthorn, type TestPosthorn } from '../flows/posthorn.ts'
import { isStopping, startPosthornProcess } from './posthorn-process.ts'

/** What is promised for the shards of a dispatcher that died. */
const takeoverMsMax = 30_000
const eventsToPublish = 500
const concurrency = 32

test('kill -9 of a dispatcher loses nothing: another takes its shards over within 30 s and makes its attempts again', {
  timeout: 60_000,
}, async () => {
  // Every tenth event is held by the receiver.
  const gate = createGate((request) => /"number":\d*0\}/.test(request.body))
  await using posthorn = await startTestPosthorn({ answer: gate.answer })
  const options = { url: posthorn.url, receiverPort: posthorn.receiver.port, concurrency }
  await posthorn.subscribeMany(10, { eventTypes: ['rush'] })
  const spread = (number: number) => ({ type: 'rush', data: `{"number":${number}}` })

  await using first = startPosthornProcess(options)
  await first.until(() => first.shards.length === shardCount)
  await publishMany(posthorn, eventsToPublish / 10, spread)
  await gate.holds(20)
  first.kill('SIGKILL')
  const killedAt = performance.now()
  expect(await first.ended).toBe('SIGKILL')
  const inFlight = await posthorn.db.prisma.backlog.count({ where: { leasedAt: { not: null } } })
  expect(inFlight).toBeGreaterThanOrEqual(20)
  expect(inFlight).toBeLessThanOrEqual(concurrency)
  gate.open()

  await using second = startPosthornProcess(options)
  await posthorn.leasesRunOut()
  await second.until(() => second.shards.length === shardCount)
  expect(performance.now() - killedAt).toBeLessThan(takeoverMsMax)
  const { prisma } = posthorn.db
  await expect
    .poll(() => prisma.delivery.count({ where: { state: 'delivered' } }), { timeout: 10_000 })
    .toBe(eventsToPublish)

  const requests = Map.groupBy(posthorn.receiver.requests, (r) => `${r.path} ${r.headers['webhook-id']}`)
  expect(requests.size).toBe(eventsToPublish)
  const repeated = [...requests.values()].filter((some) => some.length > 1)
  expect(repeated.length).toBeGreaterThanOrEqual(20)
  expect(repeated.length).toBeLessThanOrEqual(inFlight)
  for (const some of repeated) {
    expect(some).toHaveLength(2)
    expect(some[1]).toMatchObject({ body: some[0]?.body, signature: 'valid', earlier: 1 })
  }
  // Each attempt that nobody saw the end of is in the list, and the next one has the next number.
  expect(await prisma.attempt.count({ where: { failureCode: 'aborted' } })).toBe(inFlight)
  expect(await prisma.delivery.count({ where: { attemptCount: 2 } })).toBe(inFlight)
  second.kill('SIGTERM')
  expect(await second.ended).toBe(0)
})

test('SIGTERM under load ends a dispatcher in order: exit code 0, nothing lost, nothing sent twice', {
  timeout: 60_000,
}, async () => {
  const gate = createGate()
  await using posthorn = await startTestPosthorn({ answer: gate.answer })
  const options = { url: posthorn.url, receiverPort: posthorn.receiver.port, concurrency }
  await posthorn.subscribeMany(10)
  await using first = startPosthornProcess(options)
  await first.until(() => first.shards.length === shardCount)
  await publishMany(posthorn, eventsToPublish / 10, () => ({}))
  await gate.holds(concurrency)
  gate.let(concurrency)
  await gate.holds(concurrency)
  first.kill('SIGTERM')
  // It is stopping: its answers come while it drains, and it asks for no more.
  await first.until(() => isStopping(first))
  gate.open()
  expect(await first.ended).toBe(0)
  expect(posthorn.receiver.requests.length).toBeLessThan(eventsToPublish)

  await using second = startPosthornProcess(options)
  const { prisma } = posthorn.db
  await second.until(() => first.recorded + second.recorded >= eventsToPublish)
  expect(await prisma.delivery.count({ where: { state: 'delivered', attemptCount: 1 } })).toBe(eventsToPublish)
  expect(posthorn.receiver.requests).toHaveLength(eventsToPublish)
  expect(posthorn.receiver.requests.filter((request) => request.earlier > 0)).toEqual([])
  second.kill('SIGTERM')
  expect(await second.ended).toBe(0)
})

async function publishMany(
  posthorn: TestPosthorn,
  count: number,
  draft: (number: number) => { type?: string; data?: string },
): Promise<void> {
  const results = await posthorn.publisher.publishMany(
    Array.from({ length: count }, (_, number) => ({
      tenantId: 'acme',
      type: 'invoice.paid',
      data: '{}',
      ...draft(number),
    })),
  )
  expect(results.filter((result) => result instanceof Error)).toEqual([])
}
