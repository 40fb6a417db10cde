import {
  cancelDelivery,
  getSubscriptionHealth,
  openJobs,
  requestHolding,
  requestRelease,
  resendDelivery,
  transaction,
} from '@posthorn/engine'
import type { Answer, ReceivedRequest } from 'posthorn/receiver'
import { expect, test } from 'vitest'
import { createGate } from './gate.ts'
import { startTestPosthorn, type TestPosthorn } from './posthorn.ts'

test('two hundred deliveries come one at a time and in the order of publishing, with failures and retries in the middle', async () => {
  const failing = [70, 150]
  const accepted: number[] = []
  const tries = new Map<number, number>()
  function answer(request: ReceivedRequest): Answer {
    const n = numberOf(request)
    const before = tries.get(n) ?? 0
    tries.set(n, before + 1)
    // A few fail once, two for good.
    if (failing.includes(n) || (n % 40 === 3 && before === 0)) return { status: 500 }
    accepted.push(n)
    return { status: 204 }
  }
  await using posthorn = await startTestPosthorn({ answer })
  await posthorn.subscribe({ ordered: true, retryScheduleSeconds: [0, 0], maxInFlight: 10 })
  await posthorn.dispatch()
  // Two requests on the way at once, each with more events than one transaction takes in one go when it is idle.
  await Promise.all([publishNumbers(posthorn, 0, 100), publishNumbers(posthorn, 100, 100)])
  await posthorn.until(() => tries.get(199) !== undefined && finished(posthorn) === 200)
  expect(accepted).toEqual(Array.from({ length: 200 }, (_, n) => n).filter((n) => !failing.includes(n)))
  expect(failing.map((n) => tries.get(n))).toEqual([3, 3])
  // Between two attempts of one delivery there is none of another.
  const order = posthorn.receiver.requests.map(numberOf)
  expect(order.toSorted((one, other) => one - other)).toEqual(order)
})

test('never more than one request of an ordered subscription is in flight, and those of others go on beside it', async () => {
  const gate = createGate(({ path }) => path === '/hooks/1')
  await using posthorn = await startTestPosthorn({ answer: gate.answer })
  const ordered = await posthorn.subscribe({ ordered: true, maxInFlight: 10 })
  const other = await posthorn.subscribe({ shard: ordered.shard })
  await publishNumbers(posthorn, 0, 5)
  await posthorn.dispatch()
  for (let n = 0; n < 5; n += 1) {
    await gate.holds(1)
    expect(gate.waiting.map(numberOf)).toEqual([n])
    gate.let(1)
    await posthorn.until(() => recordedOf(posthorn, ordered.id) === n + 1)
  }
  await posthorn.until(() => recordedOf(posthorn, other.id) === 5)
  expect(gate.mostAtOnce).toBe(1)
})

test('a failing delivery blocks those behind it, and the health of the subscription names it', async () => {
  await using posthorn = await startTestPosthorn({ answer: failingAt(0) })
  const ordered = await posthorn.subscribe({ eventTypes: ['ordered'], ordered: true, retryScheduleSeconds: [3600] })
  const [head] = await publishNumbers(posthorn, 0, 3)
  await posthorn.dispatch()
  const [first] = await posthorn.recorded(1)
  await othersHadTheirTurn(posthorn, ordered.shard)
  expect(sentTo(posthorn, ordered.path)).toEqual([0])
  const { nextAttemptAt } = await posthorn.db.prisma.backlog.findUniqueOrThrow({ where: { deliveryId: head ?? '' } })
  const health = await getSubscriptionHealth(posthorn.db, ordered.id, undefined)
  expect(health).toMatchObject({
    state: 'active',
    ordered: true,
    backlog: { count: 3, hasMore: false },
    oldestDueAt: expect.any(Date),
    blockedBy: {
      deliveryId: head,
      eventType: 'ordered',
      since: first?.record.startedAt,
      nextAttemptAt,
      attemptCount: 1,
      lastFailureCode: 'http_5xx',
      lastHttpStatus: 500,
    },
  })
})

test('a person skips the delivery that blocks by canceling it, and the next ones go on in order', async () => {
  await using posthorn = await startTestPosthorn({ answer: failingAt(0) })
  const ordered = await posthorn.subscribe({ eventTypes: ['ordered'], ordered: true, retryScheduleSeconds: [3600] })
  const [head] = await publishNumbers(posthorn, 0, 4)
  await posthorn.dispatch()
  await posthorn.recorded(1)
  await cancelDelivery(posthorn.db, { deliveryId: head ?? '', tenantId: undefined, actor: 'staff:ada' })
  await posthorn.recorded(4)
  expect(sentTo(posthorn, ordered.path)).toEqual([0, 1, 2, 3])
  expect(await getSubscriptionHealth(posthorn.db, ordered.id, undefined)).toMatchObject({
    backlog: { count: 0 },
    oldestDueAt: null,
    blockedBy: null,
  })
})

test('a resend of the delivery that blocks is tried at once; those behind it follow when it is accepted', async () => {
  await using posthorn = await startTestPosthorn({ answer: failingAt(0, 2) })
  const ordered = await posthorn.subscribe({ eventTypes: ['ordered'], ordered: true, retryScheduleSeconds: [3600] })
  const [head = ''] = await publishNumbers(posthorn, 0, 3)
  await posthorn.dispatch()
  await posthorn.recorded(1)
  const resend = { deliveryId: head, tenantId: undefined, actor: 'staff:ada' }
  await resendDelivery(posthorn.db, resend)
  await posthorn.recorded(2)
  // It failed again, so the schedule goes on and it still blocks.
  await othersHadTheirTurn(posthorn, ordered.shard)
  expect(sentTo(posthorn, ordered.path)).toEqual([0, 0])
  await resendDelivery(posthorn.db, resend)
  await posthorn.until(() => recordedOf(posthorn, ordered.id) === 5)
  expect(sentTo(posthorn, ordered.path)).toEqual([0, 0, 0, 1, 2])
})

test('a delivery that is published while the subscription is paused is sent before those that follow the resume', async () => {
  await using posthorn = await startTestPosthorn()
  await using jobs = await openJobs({ url: posthorn.url, mode: 'send', onError: () => undefined })
  const ordered = await posthorn.subscribe({ eventTypes: ['ordered'], ordered: true })
  await posthorn.dispatch()
  await transaction(posthorn.db, async (tx) => {
    await tx.subscription.update({ where: { id: ordered.id }, data: { state: 'paused' } })
    await requestHolding(tx, jobs, ordered.id)
  })
  await publishNumbers(posthorn, 0, 20)
  await transaction(posthorn.db, async (tx) => {
    await tx.subscription.update({ where: { id: ordered.id }, data: { state: 'active', releasing: true } })
    await requestRelease(tx, jobs, ordered.id, 'held')
  })
  await publishNumbers(posthorn, 20, 20)
  await posthorn.recorded(40)
  expect(sentTo(posthorn, ordered.path)).toEqual(Array.from({ length: 40 }, (_, n) => n))
})

test('a subscription that becomes ordered goes on with its oldest delivery when nothing is in flight any more', async () => {
  const gate = createGate(({ path }) => path === '/hooks/1')
  await using posthorn = await startTestPosthorn({ answer: gate.answer })
  const subscription = await posthorn.subscribe({ eventTypes: ['ordered'], maxInFlight: 3 })
  for (let n = 0; n < 6; n += 1) await publishNumbers(posthorn, n, 1)
  await posthorn.dispatch()
  await gate.holds(3)
  await posthorn.db.prisma.subscription.update({ where: { id: subscription.id }, data: { ordered: true } })
  await publishNumbers(posthorn, 6, 4)
  gate.let(2)
  await posthorn.recorded(2)
  await othersHadTheirTurn(posthorn, subscription.shard)
  expect(sentTo(posthorn, subscription.path)).toHaveLength(3)
  gate.open()
  await posthorn.until(() => recordedOf(posthorn, subscription.id) === 10)
  const rest = sentTo(posthorn, subscription.path).slice(3)
  expect(rest).toEqual(rest.toSorted((one, other) => one - other))
})

/** Answers 500 to one number, so many times, and 204 otherwise. */
function failingAt(number: number, times = Number.POSITIVE_INFINITY): (request: ReceivedRequest) => Answer {
  let failed = 0
  return (request) => {
    if (numberOf(request) !== number || failed >= times) return { status: 204 }
    failed += 1
    return { status: 500 }
  }
}

function numberIn(body: string): number {
  return Number(/"n":(\d+)/.exec(body)?.[1])
}

function numberOf(request: ReceivedRequest): number {
  return numberIn(request.body)
}

function sentTo(posthorn: TestPosthorn, path: string): number[] {
  return posthorn.receiver.requests.filter((request) => request.path === path).map(numberOf)
}

function recordedOf(posthorn: TestPosthorn, subscriptionId: string): number {
  return posthorn.attempts.filter(({ record }) => record.subscriptionId === subscriptionId).length
}

function finished(posthorn: TestPosthorn): number {
  return posthorn.attempts.filter(({ record }) => record.next.kind === 'delivered' || record.next.kind === 'failed')
    .length
}

/** Resolves when a dispatcher has looked for work in the shard after now, and found what was published just now. */
async function othersHadTheirTurn(posthorn: TestPosthorn, shard: number): Promise<void> {
  const witness = await posthorn.subscribe({ eventTypes: ['witness'], shard })
  await posthorn.publish({ type: 'witness', data: '{"n":0}' })
  await posthorn.until(() => recordedOf(posthorn, witness.id) === 1)
}

/** Publishes events with ascending numbers in one request. Answers with the ids of their deliveries to the first subscription. */
async function publishNumbers(posthorn: TestPosthorn, from: number, count: number): Promise<string[]> {
  const drafts = Array.from({ length: count }, (_, index) => ({
    tenantId: 'acme',
    type: 'ordered',
    data: `{"n":${from + index}}`,
  }))
  const results = await posthorn.publisher.publishMany(drafts)
  return results.map((result) => {
    if (result instanceof Error) throw result
    return result.deliveries[0]?.id ?? ''
  })
}
