import type { Answer } from 'posthorn/receiver'
import { expect, test } from 'vitest'
import { createGate } from './gate.ts'
import { type Recorded, sentId, startTestPosthorn, type TestPosthorn } from './posthorn.ts'

/** 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h: what the documentation promises. */
const promisedScheduleSeconds = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400]

test('a delivery that always fails is attempted by the default schedule, never earlier and at most a fifth later, and then fails', async () => {
  await using posthorn = await startTestPosthorn({ answer: () => ({ status: 500 }) })
  await posthorn.dispatch()
  await posthorn.subscribe()
  const { eventId, deliveries } = await posthorn.publish()
  for (const [index, seconds] of promisedScheduleSeconds.entries()) {
    const recorded = (await posthorn.recorded(index + 1))[index]
    expect(recorded?.record.next).toMatchObject({ kind: 'retry', scheduleStep: index + 1 })
    const delaySeconds = delayMs(recorded) / 1000
    expectBetween(delaySeconds, seconds, seconds * 1.2 + 0.001)
    // Time goes on between the recording and this look.
    expectBetween(await secondsUntilNextAttempt(posthorn), delaySeconds - 10, delaySeconds)
    expect(await deliveryOf(posthorn)).toMatchObject({ state: 'retrying', attemptCount: index + 1, finishedAt: null })
    await posthorn.timePasses()
  }
  const attemptsMax = promisedScheduleSeconds.length + 1
  const recorded = await posthorn.recorded(attemptsMax)
  expect(recorded.at(-1)?.record.next).toEqual({ kind: 'failed' })
  expect(await deliveryOf(posthorn)).toMatchObject({
    state: 'failed',
    attemptCount: attemptsMax,
    lastFailureCode: 'http_5xx',
    lastHttpStatus: 500,
    finishedAt: expect.any(Date),
  })
  expect(await posthorn.db.prisma.backlog.count()).toBe(0)
  expect(await attemptNumbers(posthorn, deliveries[0]?.id)).toEqual(
    Array.from({ length: attemptsMax }, (_, i) => i + 1),
  )
  const { requests } = posthorn.receiver
  expect(new Set(requests.map((r) => `${r.headers['webhook-id']} ${r.signature} ${r.body}`)).size).toBe(1)
  expect(requests[0]).toMatchObject({ signature: 'valid', headers: { 'webhook-id': sentId(eventId) } })
  expect(requests.map((r) => Number(r.headers['posthorn-attempt']))).toEqual(requests.map((_, i) => i + 1))
})

test('a subscription’s own schedule is kept, and a receiver that recovers gets its event', async () => {
  const answers = [500, 404, 200].map((status) => ({ status }))
  await using posthorn = await startTestPosthorn({ answer: inOrder(answers) })
  await posthorn.dispatch()
  await posthorn.subscribe({ retryScheduleSeconds: [60, 120] })
  await posthorn.publish()
  expectBetween(delayMs((await posthorn.recorded(1))[0]), 60_000, 72_000)
  await posthorn.timePasses()
  expectBetween(delayMs((await posthorn.recorded(2))[1]), 120_000, 144_000)
  await posthorn.timePasses()
  await posthorn.recorded(3)
  expect(posthorn.attempts.map((one) => one.record.failureCode)).toEqual(['http_5xx', 'http_4xx', null])
  expect(await deliveryOf(posthorn)).toMatchObject({ state: 'delivered', attemptCount: 3, lastFailureCode: null })
})

test('a delay of zero is a retry at once', async () => {
  await using posthorn = await startTestPosthorn({ answer: inOrder([{ status: 500 }, { status: 200 }]) })
  await posthorn.dispatch()
  await posthorn.subscribe({ retryScheduleSeconds: [0] })
  await posthorn.publish()
  await posthorn.recorded(2)
  expect(await deliveryOf(posthorn)).toMatchObject({ state: 'delivered', attemptCount: 2 })
})

test.each([301, 302, 303, 307, 308])('a %i is a failed attempt and is not followed', async (status) => {
  await using posthorn = await startTestPosthorn({
    answer: ({ path }) => (path === '/elsewhere' ? { status: 200 } : { status, headers: { location: '/elsewhere' } }),
  })
  await posthorn.dispatch()
  const subscription = await posthorn.subscribe()
  await posthorn.publish()
  const [first] = await posthorn.recorded(1)
  expect(first?.record).toMatchObject({ status, failureCode: 'http_3xx', next: { kind: 'retry', scheduleStep: 1 } })
  expect(posthorn.receiver.requests.map((r) => r.path)).toEqual([subscription.path])
})

test('a receiver that does not listen any more is a failed attempt', async () => {
  await using posthorn = await startTestPosthorn()
  await posthorn.dispatch()
  await posthorn.subscribe()
  await posthorn.receiver[Symbol.asyncDispose]()
  await posthorn.publish()
  const [first] = await posthorn.recorded(1)
  expect(first?.record).toMatchObject({ status: null, failureCode: 'connect_refused', next: { kind: 'retry' } })
})

test('a callback URL that the address guard refuses is a failed attempt without a request', async () => {
  await using posthorn = await startTestPosthorn()
  await posthorn.dispatch()
  await posthorn.subscribe({ url: 'http://127.0.0.1:9/hooks' })
  await posthorn.publish()
  const [first] = await posthorn.recorded(1)
  expect(first?.record).toMatchObject({ status: null, failureCode: 'blocked_address', next: { kind: 'retry' } })
})

test.each([429, 502, 503, 504])(
  'a %i with Retry-After puts the delivery off and slows the whole subscription down',
  async (status) => {
    await using posthorn = await startTestPosthorn({
      answer: inOrder([{ status, headers: { 'retry-after': '3600' } }, { status: 200 }]),
    })
    await posthorn.dispatch()
    const slowed = await posthorn.subscribe({ eventTypes: ['slowed'] })
    await posthorn.subscribe({ eventTypes: ['other'] })
    await posthorn.publish({ type: 'slowed' })
    const [first] = await posthorn.recorded(1)
    expect(delayMs(first)).toBe(3_600_000)
    expectBetween(await secondsSlowed(posthorn, slowed.id), 3_590, 3_600)
    // The next event of this subscription waits; one for another subscription does not.
    await posthorn.publish({ type: 'slowed' })
    await posthorn.publish({ type: 'other' })
    await posthorn.recorded(2)
    expect(posthorn.attempts[1]?.record.subscriptionId).not.toBe(slowed.id)
    await posthorn.timePasses()
    await posthorn.recorded(4)
    expect(await posthorn.db.prisma.delivery.count({ where: { state: 'delivered' } })).toBe(3)
  },
)

test('a Retry-After that is a date puts the delivery off until then', async () => {
  const untilMs = Date.now() + 7_200_000
  const headers = { 'retry-after': new Date(untilMs).toUTCString() }
  await using posthorn = await startTestPosthorn({ answer: () => ({ status: 503, headers }) })
  await posthorn.dispatch()
  const subscription = await posthorn.subscribe()
  await posthorn.publish()
  const [first] = await posthorn.recorded(1)
  expectBetween(delayMs(first), 7_190_000, 7_200_000)
  expectBetween(await secondsSlowed(posthorn, subscription.id), 7_180, 7_200)
})

test('a Retry-After shorter than the schedule does not bring the retry forward, and a longer one than a day counts as a day', async () => {
  await using posthorn = await startTestPosthorn({
    answer: inOrder([
      { status: 503, headers: { 'retry-after': '1' } },
      { status: 503, headers: { 'retry-after': '99999999' } },
    ]),
  })
  await posthorn.dispatch()
  await posthorn.subscribe({ retryScheduleSeconds: [60, 60, 60] })
  await posthorn.publish()
  expectBetween(delayMs((await posthorn.recorded(1))[0]), 60_000, 72_000)
  await posthorn.timePasses()
  expect(delayMs((await posthorn.recorded(2))[1])).toBe(86_400_000)
})

test('a receiver that says 503 without a time is given a pause for all its deliveries, and then goes on', async () => {
  await using posthorn = await startTestPosthorn({ answer: inOrder([{ status: 503 }, { status: 200 }]) })
  await posthorn.dispatch()
  const subscription = await posthorn.subscribe()
  await posthorn.publish()
  await posthorn.recorded(1)
  expectBetween(await secondsSlowed(posthorn, subscription.id), -10, 1)
  await posthorn.publish()
  await posthorn.recorded(2) // after the second, by itself
  expect(await posthorn.db.prisma.delivery.count({ where: { state: 'delivered' } })).toBe(1)
})

test('a subscription that answers 500 is not slowed down for its other deliveries', async () => {
  await using posthorn = await startTestPosthorn({
    answer: () => ({ status: 500, headers: { 'retry-after': '3600' } }),
  })
  await posthorn.dispatch()
  const subscription = await posthorn.subscribe()
  await posthorn.publish()
  await posthorn.recorded(1)
  expect(await secondsSlowed(posthorn, subscription.id)).toBeUndefined()
})

test('a receiver that does not answer in time is a failed attempt, which ends by its deadline', async () => {
  const gate = createGate()
  await using posthorn = await startTestPosthorn({ answer: gate.answer })
  await posthorn.dispatch()
  await posthorn.subscribe({ timeoutMs: 1_000 })
  await posthorn.publish()
  const [first] = await posthorn.recorded(1)
  expect(first?.record).toMatchObject({ status: null, failureCode: 'response_timeout', next: { kind: 'retry' } })
  expectBetween(first?.record.totalMs, 900, 3_000)
  gate.open()
})

test('a subscription without a usable key gets nothing unsigned: the attempt is our own failure', async () => {
  await using posthorn = await startTestPosthorn()
  await posthorn.dispatch()
  const keyless = await posthorn.subscribe({ retryScheduleSeconds: [60] })
  await posthorn.db.prisma.secret.deleteMany({ where: { subscriptionId: keyless.id } })
  await posthorn.publish()
  const [first] = await posthorn.recorded(1)
  expect(first?.record).toMatchObject({ status: null, failureCode: 'internal_error', next: { kind: 'retry' } })
  expect(posthorn.told).toContainEqual(expect.objectContaining({ what: 'delivery_fault' }))
  await posthorn.timePasses()
  await posthorn.recorded(2)
  expect(await deliveryOf(posthorn)).toMatchObject({ state: 'failed', lastFailureCode: 'internal_error' })
  expect(posthorn.receiver.requests).toEqual([])
})

test('a secret that has expired signs nothing any more, even if it is the only one', async () => {
  await using posthorn = await startTestPosthorn()
  await posthorn.dispatch()
  const subscription = await posthorn.subscribe()
  await posthorn.db.prisma.secret.updateMany({
    where: { subscriptionId: subscription.id },
    data: { expiresAt: new Date(0) },
  })
  await posthorn.publish()
  const [first] = await posthorn.recorded(1)
  expect(first?.record.failureCode).toBe('internal_error')
  expect(posthorn.receiver.requests).toEqual([])
})

/** One answer after the other; the last one for all that follow. */
function inOrder(answers: readonly Answer[]): () => Answer {
  let next = 0
  return () => {
    const answer = answers[Math.min(next, answers.length - 1)]
    next += 1
    return answer ?? { status: 204 }
  }
}

function delayMs(recorded: Recorded | undefined): number {
  const next = recorded?.record.next
  if (next?.kind !== 'retry') throw new Error(`The attempt was not followed by a retry but by ${next?.kind}`)
  return next.delayMs
}

async function deliveryOf({ db }: TestPosthorn) {
  return db.prisma.delivery.findFirstOrThrow()
}

async function attemptNumbers({ db }: TestPosthorn, deliveryId: string | undefined): Promise<number[]> {
  const attempts = await db.prisma.attempt.findMany({ where: { deliveryId: deliveryId ?? '' }, orderBy: { id: 'asc' } })
  return attempts.map((attempt) => attempt.number)
}

function expectBetween(value: number | undefined, min: number, max: number): void {
  expect(value).toBeGreaterThanOrEqual(min)
  expect(value).toBeLessThanOrEqual(max)
}

/** As the database's clock has it. */
async function secondsUntilNextAttempt({ db }: TestPosthorn): Promise<number | undefined> {
  const { rows } = await db.pool.query<{ seconds: number }>(
    'select extract(epoch from next_attempt_at - now())::float8 as seconds from backlog',
  )
  return rows[0]?.seconds
}

async function secondsSlowed({ db }: TestPosthorn, subscriptionId: string): Promise<number | undefined> {
  const { rows } = await db.pool.query<{ seconds: number | null }>(
    'select extract(epoch from not_before - now())::float8 as seconds from subscription where id = $1',
    [subscriptionId],
  )
  return rows[0]?.seconds ?? undefined
}
