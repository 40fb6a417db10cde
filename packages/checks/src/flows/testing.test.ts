import { type TestOutcome, testSubscription } from '@posthorn/engine'
import { parseSecret, verify } from '@posthorn/signing'
import { expect, test } from 'vitest'
import { createGate } from './gate.ts'
import { startTestPosthorn, type TestPosthorn, world } from './posthorn.ts'

async function tested(posthorn: TestPosthorn, id: string, eventType?: string): Promise<TestOutcome> {
  return testSubscription({ db: posthorn.db, world }, id, undefined, {
    actor: 'key_1',
    ...(eventType && { eventType }),
  })
}

test.concurrent('a test is sent signed and told whole, and leaves no trace in deliveries, attempts and health', async () => {
  await using posthorn = await startTestPosthorn({ answer: async () => ({ status: 500, body: 'no' }) })
  await posthorn.dispatch()
  const subscription = await posthorn.subscribe()
  const before = await posthorn.db.prisma.subscription.findUniqueOrThrow({ where: { id: subscription.id } })
  const outcome = await tested(posthorn, subscription.id)
  expect(outcome).toMatchObject({
    eventType: 'posthorn.test',
    status: 500,
    failureCode: 'http_5xx',
    responseTruncated: false,
  })
  expect(Buffer.from(outcome.responseBody, 'base64').toString()).toBe('no')
  expect(outcome.totalMs).toBeGreaterThan(0)
  const [request] = posthorn.receiver.requests
  if (request === undefined) throw new Error('nothing was received')
  expect(request.headers['posthorn-test']).toBe('1')
  expect(Buffer.from(request.body).toString()).toBe(outcome.requestBody)
  const keys = [parseSecret(subscription.secret)]
  expect(verify({ headers: request.headers, body: request.body, keys, now: new Date() }).id).toMatch(/^evt_/)
  const counts = await Promise.all([
    posthorn.db.prisma.delivery.count(),
    posthorn.db.prisma.attempt.count(),
    posthorn.db.prisma.backlog.count(),
  ])
  expect(counts).toEqual([0, 0, 0])
  expect(await posthorn.db.prisma.subscription.findUniqueOrThrow({ where: { id: subscription.id } })).toEqual(before)
  expect(posthorn.receiver.requests).toHaveLength(1)
})

test.concurrent('a paused subscription is tested too, with the example of an event type', async () => {
  await using posthorn = await startTestPosthorn()
  await posthorn.dispatch()
  const subscription = await posthorn.subscribe()
  await posthorn.db.prisma.subscription.update({ where: { id: subscription.id }, data: { state: 'paused' } })
  await posthorn.db.prisma.eventType.create({ data: { name: 'plan.changed', latestVersion: 1 } })
  await posthorn.db.prisma.eventTypeVersion.create({
    data: { eventType: 'plan.changed', version: 1, schema: {}, examples: [{ plan: 'a' }] },
  })
  const outcome = await tested(posthorn, subscription.id, 'plan.changed')
  expect(outcome).toMatchObject({ eventType: 'plan.changed', failureCode: null })
  expect(JSON.parse(outcome.requestBody)).toMatchObject({ type: 'plan.changed', data: { plan: 'a' } })
})

test.concurrent('one test of a subscription at a time, and another one when it has ended', async () => {
  const gate = createGate()
  await using posthorn = await startTestPosthorn({ answer: gate.answer })
  await posthorn.dispatch()
  const subscription = await posthorn.subscribe()
  const asking = posthorn
  const first = tested(asking, subscription.id)
  await gate.holds(1)
  await expect(tested(asking, subscription.id)).rejects.toMatchObject({ code: 'subscription_test_running' })
  gate.open()
  expect((await first).failureCode).toBeNull()
  expect((await tested(asking, subscription.id)).failureCode).toBeNull()
  expect(posthorn.receiver.requests).toHaveLength(2)
})

test.concurrent('without a dispatcher nothing is sent, and the asker is told so', async () => {
  await using posthorn = await startTestPosthorn()
  const subscription = await posthorn.subscribe()
  const asked = tested(posthorn, subscription.id)
  await expect(asked).rejects.toMatchObject({ code: 'no_dispatcher', status: 503 })
  expect(await posthorn.db.prisma.subscriptionTest.count()).toBe(0)
  await posthorn.dispatch()
  expect(posthorn.receiver.requests).toHaveLength(0)
})

test.concurrent('a test whose dispatcher was killed is not made again, and does not keep the next one away', async () => {
  await using posthorn = await startTestPosthorn()
  const subscription = await posthorn.subscribe()
  const { tenantId } = await posthorn.db.prisma.subscription.findUniqueOrThrow({ where: { id: subscription.id } })
  const longAgo = new Date(Date.now() - 60_000)
  await posthorn.db.prisma.subscriptionTest.create({
    data: {
      id: subscription.id,
      tenantId,
      subscriptionId: subscription.id,
      eventId: subscription.id,
      eventType: 'posthorn.test',
      data: '{}',
      actor: 'key_1',
      requestedAt: longAgo,
      takenAt: longAgo,
    },
  })
  await posthorn.dispatch()
  const outcome = await tested(posthorn, subscription.id)
  expect(outcome.failureCode).toBeNull()
  expect(posthorn.receiver.requests).toHaveLength(1)
})
