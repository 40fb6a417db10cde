import { cancelDelivery, resendDelivery } from '@posthorn/engine'
import { withClient } from '@posthorn/engine/testing'
import type { Answer } from 'posthorn/receiver'
import { expect, test } from 'vitest'
import { createGate } from './gate.ts'
import { startTestPosthorn, type TestPosthorn } from './posthorn.ts'

const missing = '01900000-0000-7000-8000-000000000000'

test('a delivered event is sent once more when a person asks, under the same id, and the attempt says who asked', async () => {
  await using posthorn = await startTestPosthorn()
  await posthorn.dispatch()
  const deliveryId = await publishOne(posthorn)
  await posthorn.recorded(1)
  await resend(posthorn, deliveryId, { actor: 'staff:ada', reason: 'customer lost it' })
  await posthorn.recorded(2)
  expect(await attemptsOf(posthorn, deliveryId)).toMatchObject([
    { number: 1, trigger: 'automatic', actor: null, reason: null },
    { number: 2, trigger: 'resend', actor: 'staff:ada', reason: 'customer lost it', httpStatus: 204 },
  ])
  const [first, second] = posthorn.receiver.requests
  expect(second).toMatchObject({ signature: 'valid', body: first?.body, earlier: 1 })
  expect(await deliveryOf(posthorn, deliveryId)).toMatchObject({ state: 'delivered', attemptCount: 2 })
  expect(await posthorn.db.prisma.backlog.count()).toBe(0)
})

test('a resend that fails does not undo that the event had been delivered', async () => {
  await using posthorn = await startTestPosthorn({ answer: inOrder(204, 500) })
  await posthorn.dispatch()
  const deliveryId = await publishOne(posthorn)
  await posthorn.recorded(1)
  const before = await deliveryOf(posthorn, deliveryId)
  await resend(posthorn, deliveryId)
  await posthorn.recorded(2)
  expect(await deliveryOf(posthorn, deliveryId)).toMatchObject({
    state: 'delivered',
    deliveredAt: before.deliveredAt,
    lastFailureCode: 'http_5xx',
    attemptCount: 2,
  })
  expect(await posthorn.db.prisma.backlog.count()).toBe(0)
})

test('a failed delivery is delivered by a resend, and failed again by one that fails', async () => {
  await using posthorn = await startTestPosthorn({ answer: inOrder(500, 500, 500, 200) })
  await posthorn.dispatch()
  const deliveryId = await publishOne(posthorn, { retryScheduleSeconds: [0] })
  await posthorn.recorded(2)
  expect(await deliveryOf(posthorn, deliveryId)).toMatchObject({ state: 'failed' })
  await resend(posthorn, deliveryId)
  // One attempt was asked for, and one is made: a failed resend starts no schedule.
  await posthorn.recorded(3)
  expect(await deliveryOf(posthorn, deliveryId)).toMatchObject({ state: 'failed', attemptCount: 3, deliveredAt: null })
  await resend(posthorn, deliveryId)
  await posthorn.recorded(4)
  expect(await deliveryOf(posthorn, deliveryId)).toMatchObject({ state: 'delivered', attemptCount: 4 })
  expect((await attemptsOf(posthorn, deliveryId)).map((attempt) => attempt.number)).toEqual([1, 2, 3, 4])
})

test('a canceled delivery can be sent after all', async () => {
  await using posthorn = await startTestPosthorn()
  const deliveryId = await publishOne(posthorn)
  await cancel(posthorn, deliveryId)
  await resend(posthorn, deliveryId)
  await posthorn.dispatch()
  await posthorn.recorded(1)
  expect(await deliveryOf(posthorn, deliveryId)).toMatchObject({ state: 'delivered', attemptCount: 1 })
})

test('a resend in front of a waiting retry that fails leaves the schedule exactly as it was', async () => {
  await using posthorn = await startTestPosthorn({ answer: inOrder(500, 500, 500, 204) })
  await posthorn.dispatch()
  const deliveryId = await publishOne(posthorn, { retryScheduleSeconds: [600, 6_000] })
  await posthorn.recorded(1)
  const before = await posthorn.db.prisma.backlog.findFirstOrThrow()
  await resend(posthorn, deliveryId)
  await posthorn.recorded(2)
  expect(await posthorn.db.prisma.backlog.findFirstOrThrow()).toEqual({ ...before, attemptNumber: 2 })
  expect(await deliveryOf(posthorn, deliveryId)).toMatchObject({ state: 'retrying', attemptCount: 2 })
  await posthorn.timePasses()
  // The retry is the second step of the schedule and not the third.
  const [, , third] = await posthorn.recorded(3)
  expect(third?.record).toMatchObject({ trigger: 'automatic', next: { kind: 'retry', scheduleStep: 2 } })
  await posthorn.timePasses()
  await posthorn.recorded(4)
  expect(await deliveryOf(posthorn, deliveryId)).toMatchObject({ state: 'delivered', attemptCount: 4 })
})

test('a resend in front of a waiting retry that succeeds ends the schedule', async () => {
  await using posthorn = await startTestPosthorn({ answer: inOrder(500, 200) })
  await posthorn.dispatch()
  const deliveryId = await publishOne(posthorn)
  await posthorn.recorded(1)
  await resend(posthorn, deliveryId)
  await posthorn.recorded(2)
  expect(await deliveryOf(posthorn, deliveryId)).toMatchObject({ state: 'delivered' })
  expect(await posthorn.db.prisma.backlog.count()).toBe(0)
})

test('a resend whose dispatcher dies is still the resend that was asked for, and the schedule behind it is kept', async () => {
  const gate = createGate()
  const first = inOrder(500, 0)
  await using posthorn = await startTestPosthorn({
    answer: (request) => (request.headers['posthorn-attempt'] === '1' ? first() : gate.answer(request)),
  })
  await posthorn.dispatch()
  const deliveryId = await publishOne(posthorn, { retryScheduleSeconds: [600] })
  await posthorn.recorded(1)
  const before = await posthorn.db.prisma.backlog.findFirstOrThrow()
  await resend(posthorn, deliveryId, { actor: 'staff:ada' })
  await gate.holds(1)
  await posthorn.leasesRunOut()
  await gate.holds(2)
  gate.open({ status: 500 })
  await posthorn.recorded(3)
  expect(
    (await attemptsOf(posthorn, deliveryId)).map(({ number, trigger, actor }) => [number, trigger, actor]),
  ).toEqual([
    [1, 'automatic', null],
    [2, 'resend', 'staff:ada'],
    [3, 'resend', 'staff:ada'],
  ])
  expect(await posthorn.db.prisma.backlog.findFirstOrThrow()).toEqual({ ...before, attemptNumber: 3 })
})

test('a resend that a stopping dispatcher breaks off is still the resend that was asked for, and the schedule behind it is kept', async () => {
  const gate = createGate((request) => request.headers['posthorn-attempt'] === '2')
  await using posthorn = await startTestPosthorn({
    answer: (request) => (request.headers['posthorn-attempt'] === '2' ? gate.answer(request) : { status: 500 }),
  })
  const dispatcher = await posthorn.dispatch({ drainMs: 1 })
  const deliveryId = await publishOne(posthorn, { retryScheduleSeconds: [600] })
  await posthorn.recorded(1)
  const before = await posthorn.db.prisma.backlog.findFirstOrThrow()
  await resend(posthorn, deliveryId, { actor: 'staff:ada', reason: 'again' })
  await gate.holds(1)
  await dispatcher.stop()
  gate.open()
  await posthorn.dispatch()
  await posthorn.recorded(3)
  expect(
    (await attemptsOf(posthorn, deliveryId)).map(({ number, trigger, actor, reason, failureCode }) => [
      number,
      trigger,
      actor,
      reason,
      failureCode,
    ]),
  ).toEqual([
    [1, 'automatic', null, null, 'http_5xx'],
    [2, 'resend', 'staff:ada', 'again', 'aborted'],
    [3, 'resend', 'staff:ada', 'again', 'http_5xx'],
  ])
  expect(await posthorn.db.prisma.backlog.findFirstOrThrow()).toEqual({ ...before, attemptNumber: 3 })
})

test('a resend is refused while an attempt is in flight', async () => {
  const gate = createGate()
  await using posthorn = await startTestPosthorn({ answer: gate.answer })
  await posthorn.dispatch()
  const deliveryId = await publishOne(posthorn, { retryScheduleSeconds: [60] })
  await gate.holds(1)
  await expect(resend(posthorn, deliveryId)).rejects.toMatchObject({ code: 'delivery_state_conflict' })
  gate.let(1, { status: 500 })
  await posthorn.recorded(1)
  await posthorn.timePasses()
  await gate.holds(1)
  await expect(resend(posthorn, deliveryId)).rejects.toMatchObject({ code: 'delivery_state_conflict' })
  gate.open()
  await posthorn.recorded(2)
  expect(posthorn.receiver.requests).toHaveLength(2)
})

test('a resend is refused while the first attempt has not been made', async () => {
  await using posthorn = await startTestPosthorn()
  const deliveryId = await publishOne(posthorn)
  await expect(resend(posthorn, deliveryId)).rejects.toMatchObject({ code: 'delivery_state_conflict', status: 409 })
})

test('a resend is refused while the delivery is held', async () => {
  await using posthorn = await startTestPosthorn()
  const subscription = await posthorn.subscribe()
  await pause(posthorn, subscription.id)
  const { deliveries } = await posthorn.publish()
  const deliveryId = deliveries[0]?.id ?? ''
  await expect(resend(posthorn, deliveryId)).rejects.toMatchObject({ code: 'subscription_not_active' })
  expect(await deliveryOf(posthorn, deliveryId)).toMatchObject({ state: 'held' })
})

test('a resend is refused while the subscription is paused, and for good once it is deleted', async () => {
  await using posthorn = await startTestPosthorn()
  await posthorn.dispatch()
  const subscription = await posthorn.subscribe()
  const deliveryId = (await posthorn.publish()).deliveries[0]?.id ?? ''
  await posthorn.recorded(1)
  await pause(posthorn, subscription.id)
  await expect(resend(posthorn, deliveryId)).rejects.toMatchObject({ code: 'subscription_not_active', status: 409 })
  await posthorn.db.prisma.subscription.update({
    where: { id: subscription.id },
    data: { state: 'active', deletedAt: new Date() },
  })
  await expect(resend(posthorn, deliveryId)).rejects.toMatchObject({ code: 'subscription_not_active', status: 422 })
  expect(await deliveryOf(posthorn, deliveryId)).toMatchObject({ state: 'delivered' })
})

test('a delivery of another tenant, or none at all, can be neither resent nor canceled', async () => {
  await using posthorn = await startTestPosthorn()
  const deliveryId = await publishOne(posthorn)
  const unknown = { code: 'delivery_not_found', status: 404 }
  await expect(resend(posthorn, deliveryId, { tenantId: 'globex' })).rejects.toMatchObject(unknown)
  await expect(cancel(posthorn, deliveryId, { tenantId: 'globex' })).rejects.toMatchObject(unknown)
  await expect(resend(posthorn, missing)).rejects.toMatchObject(unknown)
  await expect(cancel(posthorn, missing)).rejects.toMatchObject(unknown)
  await cancel(posthorn, deliveryId, { tenantId: 'acme' })
  expect(await deliveryOf(posthorn, deliveryId)).toMatchObject({ state: 'canceled' })
})

test('twenty people who ask for the same resend at once get one attempt', async () => {
  await using posthorn = await startTestPosthorn()
  const dispatcher = await posthorn.dispatch()
  const deliveryId = await publishOne(posthorn)
  await posthorn.recorded(1)
  await dispatcher.leave()
  const asked = await Promise.allSettled(
    Array.from({ length: 20 }, (_, index) => resend(posthorn, deliveryId, { actor: `staff:${index}` })),
  )
  expect(asked.filter((one) => one.status === 'fulfilled')).toHaveLength(1)
  await posthorn.dispatch()
  await posthorn.recorded(2)
  expect(await deliveryOf(posthorn, deliveryId)).toMatchObject({ state: 'delivered', attemptCount: 2 })
  expect(posthorn.receiver.requests).toHaveLength(2)
})

test('people who ask for the same resend of a retrying delivery at once get one attempt, and the schedule is kept', async () => {
  await using posthorn = await startTestPosthorn({ answer: () => ({ status: 500 }) })
  const dispatcher = await posthorn.dispatch()
  const deliveryId = await publishOne(posthorn, { retryScheduleSeconds: [600] })
  await posthorn.recorded(1)
  await dispatcher.leave()
  const before = await posthorn.db.prisma.backlog.findFirstOrThrow()
  await Promise.allSettled(Array.from({ length: 20 }, () => resend(posthorn, deliveryId)))
  await posthorn.dispatch()
  await posthorn.recorded(2)
  expect(await posthorn.db.prisma.backlog.findFirstOrThrow()).toEqual({ ...before, attemptNumber: 2 })
  expect(posthorn.receiver.requests).toHaveLength(2)
})

test('a canceled delivery is not sent, whether it was new, waiting for a retry or held', async () => {
  await using posthorn = await startTestPosthorn({ answer: () => ({ status: 500 }) })
  const fresh = await publishOne(posthorn)
  await cancel(posthorn, fresh)
  await posthorn.dispatch()
  const retrying = await publishOne(posthorn)
  await posthorn.recorded(2) // the first subscription wants everything, too
  await cancel(posthorn, retrying)
  const held = await posthorn.subscribe({ eventTypes: ['held'] })
  await pause(posthorn, held.id)
  const { deliveries } = await posthorn.publish({ type: 'held' })
  const heldId = deliveries.find((delivery) => delivery.subscriptionId === held.id)?.id ?? ''
  await cancel(posthorn, heldId)
  for (const id of [fresh, retrying, heldId])
    expect(await deliveryOf(posthorn, id)).toMatchObject({ state: 'canceled', finishedAt: expect.any(Date) })
  const left = await posthorn.db.prisma.backlog.findMany()
  expect(left.map((row) => row.deliveryId)).not.toContain(fresh)
  expect(left.map((row) => row.deliveryId)).not.toContain(retrying)
  await expect(cancel(posthorn, fresh)).rejects.toMatchObject({ code: 'delivery_state_conflict' })
})

test('a delivery in flight is not canceled, because its request has been sent', async () => {
  const gate = createGate()
  await using posthorn = await startTestPosthorn({ answer: gate.answer })
  await posthorn.dispatch()
  const deliveryId = await publishOne(posthorn)
  await gate.holds(1)
  await expect(cancel(posthorn, deliveryId)).rejects.toMatchObject({ code: 'delivery_state_conflict', status: 409 })
  gate.open()
  await posthorn.recorded(1)
  expect(await deliveryOf(posthorn, deliveryId)).toMatchObject({ state: 'delivered' })
  await expect(cancel(posthorn, deliveryId)).rejects.toMatchObject({ code: 'delivery_state_conflict' })
})

test('a cancel and a claim at the same time: either the request is sent or the delivery is canceled, never both', async () => {
  await using posthorn = await startTestPosthorn()
  await posthorn.dispatch()
  await posthorn.subscribe({ maxInFlight: 1_000 })
  const ids = await Promise.all(
    Array.from({ length: 60 }, async () => {
      const { deliveries } = await posthorn.publish()
      const id = deliveries[0]?.id ?? ''
      const canceled = await cancel(posthorn, id).then(
        () => true,
        () => false,
      )
      return { id, canceled }
    }),
  )
  const kept = ids.filter((one) => !one.canceled).length
  await posthorn.recorded(kept)
  const states = await posthorn.db.prisma.delivery.findMany()
  for (const { id, canceled } of ids)
    expect(states.find((delivery) => delivery.id === id)?.state).toBe(canceled ? 'canceled' : 'delivered')
  expect(posthorn.receiver.requests).toHaveLength(kept)
})

test('a cancel that waits for a claim to commit sees that the delivery is in flight', async () => {
  await using posthorn = await startTestPosthorn()
  const deliveryId = await publishOne(posthorn)
  await withClient(posthorn.url, async (claimer) => {
    await claimer.query('begin')
    await claimer.query(
      `update backlog set ready = false, leased_at = now(), attempt_id = gen_random_uuid(), attempt_number = 1`,
    )
    const canceled = cancel(posthorn, deliveryId).catch((error: unknown) => error)
    await expect
      .poll(async () => {
        const { rows } = await claimer.query(
          `select count(*)::int as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
        )
        return rows[0]?.n
      })
      .toBe(1)
    await claimer.query('commit')
    expect(await canceled).toMatchObject({ code: 'delivery_state_conflict' })
  })
  expect(await deliveryOf(posthorn, deliveryId)).toMatchObject({ state: 'pending' })
})

type Asked = { actor?: string; reason?: string; tenantId?: string }

function resend({ db }: TestPosthorn, deliveryId: string, { actor = 'staff:test', reason, tenantId }: Asked = {}) {
  return resendDelivery(db, { deliveryId, actor, reason, tenantId })
}

function cancel({ db }: TestPosthorn, deliveryId: string, { actor = 'staff:test', reason, tenantId }: Asked = {}) {
  return cancelDelivery(db, { deliveryId, actor, reason, tenantId })
}

/** One subscription that wants everything, and one event for it. */
async function publishOne(posthorn: TestPosthorn, options: { retryScheduleSeconds?: number[] } = {}): Promise<string> {
  const subscription = await posthorn.subscribe(options)
  const { deliveries } = await posthorn.publish()
  return deliveries.find((delivery) => delivery.subscriptionId === subscription.id)?.id ?? ''
}

async function pause({ db }: TestPosthorn, subscriptionId: string): Promise<void> {
  await db.prisma.subscription.update({ where: { id: subscriptionId }, data: { state: 'paused' } })
}

function deliveryOf({ db }: TestPosthorn, id: string) {
  return db.prisma.delivery.findUniqueOrThrow({ where: { id } })
}

function attemptsOf({ db }: TestPosthorn, deliveryId: string) {
  return db.prisma.attempt.findMany({ where: { deliveryId }, orderBy: [{ number: 'asc' }, { id: 'asc' }] })
}

/** One answer after the other; the last one for all that follow. */
function inOrder(...statuses: number[]): () => Answer {
  let next = 0
  return () => {
    const status = statuses[Math.min(next, statuses.length - 1)] ?? 204
    next += 1
    return { status }
  }
}
