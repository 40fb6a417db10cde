import {
  cancelDelivery,
  deleteSubscription,
  holdLatecomers,
  type Jobs,
  openJobs,
  pauseSubscription,
  rateBurst,
  requestHolding,
  requestRelease,
  resendDelivery,
  resumeSubscription,
  transaction,
} from '@posthorn/engine'
import { withClient } from '@posthorn/engine/testing'
import { expect, test } from 'vitest'
import { createGate } from './gate.ts'
import { seal, startTestPosthorn, type TestPosthorn, world } from './posthorn.ts'

// At the same time, because most of each is waiting for the jobs that hold and release, which are looked for every 2 s.

test.concurrent('a 410 fails the delivery, disables its subscription at once, and holds what waits and what comes', async () => {
  const gate = createGate()
  await using posthorn = await startTestPosthorn({ answer: gate.answer })
  await posthorn.dispatch()
  const subscription = await posthorn.subscribe({ maxInFlight: 1 })
  const gone = await posthorn.publish()
  await gate.holds(1)
  const waiting = await posthorn.publish()
  gate.let(1, { status: 410 })
  const [attempt] = await posthorn.recorded(1)
  expect(attempt?.record).toMatchObject({ failureCode: 'http_410', next: { kind: 'failed' } })
  expect(await subscriptionOf(posthorn, subscription.id)).toMatchObject({ state: 'disabled', disabledReason: 'gone' })
  await moved(posthorn, 'deliveries_held', 1)
  const later = await posthorn.publish()
  expect(await states(posthorn, [gone, waiting, later])).toEqual(['failed', 'held', 'held'])
  expect(await posthorn.db.prisma.backlog.count()).toBe(0)
  expect(posthorn.receiver.requests).toHaveLength(1)

  await using jobs = await sendingJobs(posthorn)
  gate.open()
  await resume(posthorn, jobs, subscription.id, 'held')
  await posthorn.recorded(3)
  expect(await states(posthorn, [gone, waiting, later])).toEqual(['failed', 'delivered', 'delivered'])
})

test.concurrent('the attempts in flight when a receiver says 410 are judged by their own answers', async () => {
  const gate = createGate()
  await using posthorn = await startTestPosthorn({ answer: gate.answer })
  await posthorn.dispatch()
  const subscription = await posthorn.subscribe()
  const events = [await posthorn.publish(), await posthorn.publish(), await posthorn.publish()]
  await gate.holds(3)
  gate.let(1, { status: 410 })
  await posthorn.recorded(1)
  gate.let(1, { status: 204 })
  gate.let(1, { status: 410 })
  await posthorn.recorded(3)
  expect((await states(posthorn, events)).sort()).toEqual(['delivered', 'failed', 'failed'])
  expect(await subscriptionOf(posthorn, subscription.id)).toMatchObject({ state: 'disabled', disabledReason: 'gone' })
})

test.concurrent('a paused subscription gets nothing and loses nothing: what waits and what comes is held until it is resumed', async () => {
  const gate = createGate((request) => request.body.includes('"hold"'))
  await using posthorn = await startTestPosthorn({ answer: gate.answer })
  await using jobs = await sendingJobs(posthorn)
  await posthorn.dispatch()
  const subscription = await posthorn.subscribe({ maxInFlight: 1 })
  const inFlight = await posthorn.publish({ data: '"hold"' })
  await gate.holds(1)
  const waiting = await posthorn.publish()
  await pause(posthorn, jobs, subscription.id)
  await moved(posthorn, 'deliveries_held', 1)
  const later = await posthorn.publish()
  gate.open()
  await posthorn.recorded(1)
  expect(await states(posthorn, [inFlight, waiting, later])).toEqual(['delivered', 'held', 'held'])
  expect(posthorn.receiver.requests).toHaveLength(1)
  await resume(posthorn, jobs, subscription.id, 'held')
  await posthorn.recorded(3)
  expect(await states(posthorn, [inFlight, waiting, later])).toEqual(['delivered', 'delivered', 'delivered'])
  expect(posthorn.receiver.requests.every((request) => request.earlier === 0)).toBe(true)
})

test.concurrent('a subscription resumed without backfill gets nothing of what was held, and all that comes', async () => {
  await using posthorn = await startTestPosthorn()
  await using jobs = await sendingJobs(posthorn)
  await posthorn.dispatch()
  const subscription = await posthorn.subscribe()
  await pause(posthorn, jobs, subscription.id)
  const held = await posthorn.publish({ data: '"held"' })
  await resume(posthorn, jobs, subscription.id, 'none')
  const later = await posthorn.publish({ data: '"later"' })
  await posthorn.recorded(1)
  await moved(posthorn, 'deliveries_released', 1)
  expect(await states(posthorn, [held, later])).toEqual(['canceled', 'delivered'])
  expect(posthorn.receiver.requests).toHaveLength(1)
})

test.concurrent('each resume is heeded: one right after another, and one that wants what an earlier one did not want', async () => {
  await using posthorn = await startTestPosthorn()
  await using jobs = await sendingJobs(posthorn)
  await posthorn.dispatch()
  const subscription = await posthorn.subscribe()
  await pause(posthorn, jobs, subscription.id)
  const unwanted = await posthorn.publish()
  await resume(posthorn, jobs, subscription.id, 'none')
  await moved(posthorn, 'deliveries_released', 1)
  await pause(posthorn, jobs, subscription.id)
  const wanted = await posthorn.publish()
  await resume(posthorn, jobs, subscription.id, 'held')
  await posthorn.recorded(1)
  expect(await states(posthorn, [unwanted, wanted])).toEqual(['canceled', 'delivered'])
})

test.concurrent('a delivery that was being retried when its subscription was paused keeps its attempts and begins its schedule anew', async () => {
  let status = 500
  await using posthorn = await startTestPosthorn({ answer: () => ({ status }) })
  await using jobs = await sendingJobs(posthorn)
  await posthorn.dispatch()
  const subscription = await posthorn.subscribe({ retryScheduleSeconds: [600, 6_000] })
  const event = await posthorn.publish()
  await posthorn.recorded(1)
  await pause(posthorn, jobs, subscription.id)
  await moved(posthorn, 'deliveries_held', 1)
  expect(await states(posthorn, [event])).toEqual(['held'])
  await resume(posthorn, jobs, subscription.id, 'held')
  const [, second] = await posthorn.recorded(2)
  expect(second?.record).toMatchObject({ number: 2, next: { kind: 'retry', scheduleStep: 1 } })
  status = 200
  await posthorn.timePasses()
  await posthorn.recorded(3)
  expect(posthorn.attempts.map((one) => one.record.number)).toEqual([1, 2, 3])
  expect(await states(posthorn, [event])).toEqual(['delivered'])
})

test.concurrent('a pause that is rolled back holds nothing', async () => {
  await using posthorn = await startTestPosthorn()
  await using jobs = await sendingJobs(posthorn)
  const subscription = await posthorn.subscribe()
  const failed = transaction(posthorn.db, async (tx) => {
    await tx.subscription.update({ where: { id: subscription.id }, data: { state: 'paused' } })
    await requestHolding(tx, jobs, subscription.id)
    throw new Error('the caller changed its mind')
  })
  await expect(failed).rejects.toThrow('changed its mind')
  const { rows } = await posthorn.db.pool.query(`select 1 from pgboss.job where name = 'hold-deliveries'`)
  expect(rows).toEqual([])
})

test.concurrent('the deliveries of a deleted subscription are canceled, those that wait and those that were held', async () => {
  await using posthorn = await startTestPosthorn()
  await using jobs = await sendingJobs(posthorn)
  const one = await posthorn.subscribe({ eventTypes: ['one'] })
  const other = await posthorn.subscribe({ eventTypes: ['other'] })
  await posthorn.db.prisma.subscription.update({ where: { id: other.id }, data: { state: 'paused' } })
  const events = [await posthorn.publish({ type: 'one' }), await posthorn.publish({ type: 'other' })]
  expect(await states(posthorn, events)).toEqual(['pending', 'held'])
  for (const { id } of [one, other]) await remove(posthorn, jobs, id)
  await posthorn.dispatch()
  await posthorn.until(() => posthorn.told.filter((o) => o.what === 'deliveries_held' && o.count === 1).length === 2)
  expect(await states(posthorn, events)).toEqual(['canceled', 'canceled'])
  expect(await posthorn.db.prisma.backlog.count()).toBe(0)
  expect(posthorn.receiver.requests).toEqual([])
})

test.concurrent('an attempt in flight when its subscription is deleted ends by itself, and its retry is canceled by the sweep', async () => {
  const gate = createGate()
  await using posthorn = await startTestPosthorn({ answer: gate.answer })
  await using jobs = await sendingJobs(posthorn)
  await posthorn.dispatch()
  const subscription = await posthorn.subscribe()
  const event = await posthorn.publish()
  await gate.holds(1)
  await remove(posthorn, jobs, subscription.id)
  await moved(posthorn, 'deliveries_held', 0)
  gate.open({ status: 500 })
  await posthorn.recorded(1)
  await holdLatecomers(posthorn.db)
  expect(await states(posthorn, [event])).toEqual(['canceled'])
  expect(await posthorn.db.prisma.backlog.count()).toBe(0)
})

test.concurrent('the sweep holds what came into the backlog while its subscription was being paused, and nothing else', async () => {
  await using posthorn = await startTestPosthorn()
  const paused = await posthorn.subscribe({ eventTypes: ['paused'] })
  await posthorn.subscribe({ eventTypes: ['active'] })
  const events = [await posthorn.publish({ type: 'paused' }), await posthorn.publish({ type: 'active' })]
  await posthorn.db.prisma.subscription.update({ where: { id: paused.id }, data: { state: 'paused' } })
  expect(await holdLatecomers(posthorn.db)).toBe(1)
  expect(await states(posthorn, events)).toEqual(['held', 'pending'])
})

test.concurrent('work that is left behind by a tenant that was deleted is taken away by the sweep', async () => {
  await using posthorn = await startTestPosthorn()
  await posthorn.subscribe()
  const event = await posthorn.publish()
  // As when the publish commits just behind the deletion.
  await posthorn.db.prisma.tenant.delete({ where: { id: 'acme' } })
  expect(await holdLatecomers(posthorn.db)).toBe(1)
  expect(await states(posthorn, [event])).toEqual(['canceled'])
  expect(await posthorn.db.prisma.backlog.count()).toBe(0)
})

test.concurrent('an event whose publish outlasts the resume of its subscription is not held for ever', async ({
  expect,
}) => {
  await using posthorn = await startTestPosthorn()
  await using jobs = await sendingJobs(posthorn)
  await posthorn.dispatch()
  const subscription = await posthorn.subscribe()
  await pause(posthorn, jobs, subscription.id)
  await withClient(posthorn.url, async (other) => {
    await other.query('begin')
    await other.query(`insert into event_publish_id values ('acme', 'slow', gen_random_uuid())`)
    // It has read that the subscription is paused, and waits for the other publisher of the same id.
    const slow = posthorn.publish({ publishId: 'slow' })
    await expect.poll(() => sessionsWaitingForLocks(posthorn)).toBe(1)
    await resume(posthorn, jobs, subscription.id, 'none')
    await moved(posthorn, 'deliveries_released', 0)
    await other.query('rollback')
    expect(await states(posthorn, [await slow])).toEqual(['held'])
  })
  // The last pass comes after a minute and a half; it is brought forward.
  await posthorn.db.pool.query(`update pgboss.job set start_after = now() where name = 'release-deliveries'`)
  await posthorn.recorded(1)
  expect(posthorn.receiver.requests).toHaveLength(1)
})

test.concurrent('each canceled delivery says why: a person, a resume without it, or a subscription that was deleted', async () => {
  await using posthorn = await startTestPosthorn()
  await using jobs = await sendingJobs(posthorn)
  await posthorn.dispatch()
  const one = await posthorn.subscribe({ eventTypes: ['one'] })
  const other = await posthorn.subscribe({ eventTypes: ['other'] })
  for (const { id } of [one, other]) await pause(posthorn, jobs, id)
  const [called, unwanted] = [await posthorn.publish({ type: 'one' }), await posthorn.publish({ type: 'one' })]
  const orphan = await posthorn.publish({ type: 'other' })
  const asked = { deliveryId: called.deliveries[0]?.id ?? '', tenantId: undefined, actor: 'staff:ada' }
  await cancelDelivery(posthorn.db, asked)
  await resume(posthorn, jobs, one.id, 'none')
  await remove(posthorn, jobs, other.id)
  await moved(posthorn, 'deliveries_released', 1)
  await moved(posthorn, 'deliveries_held', 1)
  const rows = await posthorn.db.prisma.delivery.findMany()
  const reasons = [called, unwanted, orphan].map((event) => rows.find((row) => row.eventId === event.eventId))
  expect(reasons.map((row) => [row?.state, row?.canceledReason])).toEqual([
    ['canceled', 'canceled_by_person'],
    ['canceled', 'resume_none'],
    ['canceled', 'subscription_deleted'],
  ])
  await resendDelivery(posthorn.db, asked)
  await posthorn.recorded(1)
  const sent = await posthorn.db.prisma.delivery.findFirstOrThrow({ where: { eventId: called.eventId } })
  expect(sent).toMatchObject({ state: 'delivered', canceledReason: null })
})

test.concurrent('a resume without what was held cancels nothing that is held after it, although the job comes late', async () => {
  await using posthorn = await startTestPosthorn()
  await using jobs = await sendingJobs(posthorn)
  const subscription = await posthorn.subscribe()
  const { db, transforms } = posthorn
  const parts = { db, transforms, world, jobs, checkUrl: (url: string) => Promise.resolve(url), seal }
  await pauseSubscription(parts, subscription.id, undefined)
  const unwanted = await posthorn.publish()
  await resumeSubscription(parts, subscription.id, undefined, 'none')
  await pauseSubscription(parts, subscription.id, undefined)
  const wanted = await posthorn.publish()
  await resumeSubscription(parts, subscription.id, undefined, 'held')
  // Nobody has done any of it so far.
  await posthorn.dispatch()
  await posthorn.recorded(1)
  await posthorn.until(() => posthorn.told.filter((o) => o.what === 'deliveries_released').length === 2)
  expect(await states(posthorn, [unwanted, wanted])).toEqual(['canceled', 'delivered'])
})

test.concurrent('what was held comes back at the rate of its subscription', async () => {
  const ratePerSecond = 20
  const arrivals: number[] = []
  await using posthorn = await startTestPosthorn({
    answer: () => {
      arrivals.push(performance.now())
      return { status: 204 }
    },
  })
  await using jobs = await sendingJobs(posthorn)
  await posthorn.dispatch()
  const subscription = await posthorn.subscribe({ rateLimitPerSecond: ratePerSecond })
  await pause(posthorn, jobs, subscription.id)
  for (let event = 0; event < 30; event += 1) await posthorn.publish()
  const beganMs = performance.now()
  await resume(posthorn, jobs, subscription.id, 'held')
  await posthorn.recorded(30)
  const earliest = arrivals.map((_, index) => ((index + 1 - rateBurst(ratePerSecond)) * 1000) / ratePerSecond)
  expect(arrivals.filter((atMs, index) => atMs - beganMs < (earliest[index] ?? 0))).toEqual([])
  expect(earliest.at(-1)).toBe(1_250)
})

test.concurrent('an event whose publish outlasts the deletion of its subscription is canceled a little later', async ({
  expect,
}) => {
  await using posthorn = await startTestPosthorn()
  await using jobs = await sendingJobs(posthorn)
  await posthorn.dispatch()
  const subscription = await posthorn.subscribe()
  await pause(posthorn, jobs, subscription.id)
  await withClient(posthorn.url, async (other) => {
    await other.query('begin')
    await other.query(`insert into event_publish_id values ('acme', 'slow', gen_random_uuid())`)
    // It has read that the subscription is paused, and waits for the other publisher of the same id.
    const slow = posthorn.publish({ publishId: 'slow' })
    await expect.poll(() => sessionsWaitingForLocks(posthorn), { timeout: 15_000 }).toBe(1)
    const { db, transforms } = posthorn
    const checkUrl = (url: string) => Promise.resolve(url)
    await deleteSubscription({ db, transforms, world, jobs, checkUrl, seal }, subscription.id, undefined)
    const isWaiting = `select from pgboss.job where name = 'hold-deliveries' and start_after > now() + interval '1 minute'`
    await expect.poll(async () => (await posthorn.db.pool.query(isWaiting)).rowCount, { timeout: 15_000 }).toBe(1)
    await other.query('rollback')
    expect(await states(posthorn, [await slow])).toEqual(['held'])
  })
  // The last pass comes after a minute and a half; it is brought forward.
  await posthorn.db.pool.query(`update pgboss.job set start_after = now() where name = 'hold-deliveries'`)
  await moved(posthorn, 'deliveries_held', 1)
  const row = await posthorn.db.prisma.delivery.findFirstOrThrow()
  expect(row).toMatchObject({ state: 'canceled', canceledReason: 'subscription_deleted' })
})

function sendingJobs({ url }: TestPosthorn): Promise<Jobs> {
  return openJobs({
    url,
    mode: 'send',
    onError: (error) => {
      throw error
    },
  })
}

function pause({ db }: TestPosthorn, jobs: Jobs, id: string): Promise<void> {
  return transaction(db, async (tx) => {
    await tx.subscription.update({ where: { id }, data: { state: 'paused' } })
    await requestHolding(tx, jobs, id)
  })
}

function resume({ db }: TestPosthorn, jobs: Jobs, id: string, backfill: 'held' | 'none'): Promise<void> {
  return transaction(db, async (tx) => {
    await tx.subscription.update({ where: { id }, data: { state: 'active', disabledReason: null } })
    await requestRelease(tx, jobs, id, backfill)
  })
}

function remove({ db }: TestPosthorn, jobs: Jobs, id: string): Promise<void> {
  return transaction(db, async (tx) => {
    await tx.subscription.update({ where: { id }, data: { deletedAt: new Date() } })
    await requestHolding(tx, jobs, id)
  })
}

async function moved(
  posthorn: TestPosthorn,
  what: 'deliveries_held' | 'deliveries_released',
  count: number,
): Promise<void> {
  await posthorn.until(() => posthorn.told.some((o) => o.what === what && o.count === count))
}

function subscriptionOf({ db }: TestPosthorn, id: string) {
  return db.prisma.subscription.findUniqueOrThrow({ where: { id } })
}

/** The states of the one delivery of each of these events. */
async function states({ db }: TestPosthorn, events: readonly { eventId: string }[]) {
  const rows = await db.prisma.delivery.findMany()
  return events.map((event) => rows.find((row) => row.eventId === event.eventId)?.state)
}

async function sessionsWaitingForLocks({ db }: TestPosthorn): Promise<number | undefined> {
  const { rows } = await db.pool.query<{ waiting: number }>(
    `select count(*)::int as waiting from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
  )
  return rows[0]?.waiting
}
