import { resendDelivery } from '@posthorn/engine'
import { expect, test } from 'vitest'
import { createGate } from './gate.ts'
import { startTestPosthorn, type TestPosthorn, type TestSubscription } from './posthorn.ts'

test('when nearly everything fails the breaker opens: what waits is held back and spends no attempt, and others go on', async () => {
  await using posthorn = await startTestPosthorn({
    answer: ({ path }) => ({ status: path === '/hooks/1' ? 500 : 204 }),
  })
  const broken = await subscribeBroken(posthorn)
  const sound = await posthorn.subscribe({ eventTypes: ['other'] })
  for (let event = 0; event < 25; event += 1) await posthorn.publish()
  await posthorn.dispatch()
  await opened(posthorn)
  // Claims after the breaker opened pass over it, and find this one.
  await posthorn.publish({ type: 'other' })
  await posthorn.recorded(21)
  expect(attemptsOf(posthorn, broken)).toHaveLength(20)
  expect(attemptsOf(posthorn, sound)).toHaveLength(1)
  const waiting = await posthorn.db.prisma.backlog.findMany({ where: { subscriptionId: broken.id, ready: true } })
  expect(waiting.map((row) => [row.attemptNumber, row.scheduleStep])).toEqual(Array(5).fill([0, 0]))
  const { breakerOpenedAt, breakerProbeAt, breakerFailedProbes } = await subscriptionOf(posthorn, broken)
  expect(Number(breakerProbeAt) - Number(breakerOpenedAt)).toBe(30_000)
  expect(breakerFailedProbes).toBe(0)
})

test('nineteen failures open nothing: the twentieth delivery is tried as well', async () => {
  await using posthorn = await startTestPosthorn({ answer: () => ({ status: 500 }) })
  await posthorn.dispatch()
  const broken = await subscribeBroken(posthorn)
  for (let event = 0; event < 19; event += 1) await posthorn.publish()
  await posthorn.recorded(19)
  expect(await subscriptionOf(posthorn, broken)).toMatchObject({ breakerOpenedAt: null })
  await posthorn.publish()
  await opened(posthorn)
  await posthorn.recorded(20)
})

test('an open breaker lets one probe through at a time; a failed one makes the next pause longer, an accepted one closes it', async () => {
  const gate = createGate(({ path }) => path === '/hooks/1')
  let probing = false
  await using posthorn = await startTestPosthorn({
    answer: (request) => (probing || request.path !== '/hooks/1' ? gate.answer(request) : { status: 500 }),
  })
  const broken = await subscribeBroken(posthorn, { maxInFlight: 10 })
  await posthorn.subscribe({ eventTypes: ['other'] })
  for (let event = 0; event < 60; event += 1) await posthorn.publish()
  await posthorn.dispatch()
  await opened(posthorn)
  const spent = await allRecorded(posthorn, broken)
  // Those in flight when it opened, or being claimed, ended as they began.
  expect(spent).toBeLessThanOrEqual(20 + 10)
  probing = true
  await probeIsDue(posthorn, broken)
  await gate.holds(1)
  await posthorn.publish({ type: 'other' })
  await posthorn.until(() => posthorn.receiver.requests.some((request) => request.path !== '/hooks/1'))
  expect(gate.waiting).toHaveLength(1)
  gate.let(1, { status: 503 })
  // What was in flight when it opened may end as late as this.
  await posthorn.until(() => attemptsOf(posthorn, broken).some(({ record }) => record.status === 503))
  const failed = await subscriptionOf(posthorn, broken)
  expect(failed).toMatchObject({ breakerFailedProbes: 1, breakerOpenedAt: expect.any(Date) })
  expect(Number(failed.breakerProbeAt) - Date.now()).toBeGreaterThan(50_000)

  await posthorn.db.prisma.subscription.updateMany({ data: { notBefore: null } })
  await probeIsDue(posthorn, broken)
  await gate.holds(1)
  gate.open()
  await posthorn.until(() => posthorn.told.some((o) => o.what === 'breaker_closed'))
  // Each was tried once: what failed before waits for its retry.
  await posthorn.until(() => attemptsOf(posthorn, broken).length === 60)
  expect(await subscriptionOf(posthorn, broken)).toMatchObject({
    breakerOpenedAt: null,
    breakerProbeAt: null,
    breakerFailedProbes: 0,
    failingSince: null,
  })
})

test('a dispatcher that takes a shard over finds its breakers open', async () => {
  await using posthorn = await startTestPosthorn({
    answer: ({ path }) => ({ status: path === '/hooks/1' ? 500 : 204 }),
  })
  const broken = await subscribeBroken(posthorn)
  await posthorn.subscribe({ eventTypes: ['other'], shard: broken.shard })
  for (let event = 0; event < 25; event += 1) await posthorn.publish()
  const first = await posthorn.dispatch()
  await opened(posthorn)
  await first.leave()
  const second = await posthorn.dispatch()
  await posthorn.publish({ type: 'other' })
  await posthorn.recorded(21)
  expect(second.told.filter((o) => o.what === 'attempt_recorded')).toHaveLength(1)
  await probeIsDue(posthorn, broken)
  await posthorn.recorded(22)
  expect(await subscriptionOf(posthorn, broken)).toMatchObject({ breakerFailedProbes: 1 })
})

test('what a person asks for is sent while the breaker is open, and neither closes it nor keeps it open', async () => {
  let status = 500
  await using posthorn = await startTestPosthorn({ answer: () => ({ status }) })
  const broken = await subscribeBroken(posthorn)
  const ids: string[] = []
  for (let event = 0; event < 25; event += 1) ids.push((await posthorn.publish()).deliveries[0]?.id ?? '')
  await posthorn.dispatch()
  await opened(posthorn)
  const before = await allRecorded(posthorn, broken)
  const open = await subscriptionOf(posthorn, broken)
  const tried = posthorn.attempts.map((one) => one.record.deliveryId)
  const [accepted = '', refused = ''] = tried

  status = 204
  await resendDelivery(posthorn.db, { deliveryId: accepted, tenantId: undefined, actor: 'staff:ada' })
  await posthorn.recorded(before + 1)
  status = 500
  await resendDelivery(posthorn.db, { deliveryId: refused, tenantId: undefined, actor: 'staff:ada' })
  const attempts = await posthorn.recorded(before + 2)
  expect(attempts.slice(before).map(({ record }) => [record.deliveryId, record.trigger, record.health])).toEqual([
    [accepted, 'resend', null],
    [refused, 'resend', null],
  ])
  expect(await subscriptionOf(posthorn, broken)).toEqual(open)
  expect(ids.filter((id) => !tried.includes(id))).toHaveLength(5)
})

test('resends that fail, however many, open no breaker and are not the beginning of failing', async () => {
  let status = 204
  await using posthorn = await startTestPosthorn({ answer: () => ({ status }) })
  const subscription = await subscribeBroken(posthorn)
  await posthorn.dispatch()
  const { deliveries } = await posthorn.publish()
  const request = { deliveryId: deliveries[0]?.id ?? '', tenantId: undefined, actor: 'staff:ada' }
  await posthorn.recorded(1)
  status = 500
  for (let resend = 2; resend <= 31; resend += 1) {
    await resendDelivery(posthorn.db, request)
    await posthorn.recorded(resend)
  }
  expect(await subscriptionOf(posthorn, subscription)).toMatchObject({ breakerOpenedAt: null, failingSince: null })
})

test('a new URL is tried at once: the breaker closes, and what failed before is forgotten', async () => {
  await using posthorn = await startTestPosthorn({
    answer: ({ path }) => ({ status: path === '/hooks/1' ? 500 : 204 }),
  })
  const broken = await subscribeBroken(posthorn)
  for (let event = 0; event < 25; event += 1) await posthorn.publish()
  await posthorn.dispatch()
  await opened(posthorn)
  await allRecorded(posthorn, broken)
  await posthorn.change(broken, { url: `${posthorn.receiver.origin}/elsewhere` })
  await posthorn.recorded(25)
  expect(posthorn.receiver.requests.filter((request) => request.path === '/elsewhere')).toHaveLength(5)
  expect(await subscriptionOf(posthorn, broken)).toMatchObject({ breakerOpenedAt: null, failingSince: null })
})

/** The first subscription of a test; what fails waits for an hour. */
function subscribeBroken(posthorn: TestPosthorn, options: { maxInFlight?: number } = {}): Promise<TestSubscription> {
  return posthorn.subscribe({ eventTypes: ['invoice.*'], retryScheduleSeconds: [3_600], maxInFlight: 1, ...options })
}

async function opened(posthorn: TestPosthorn): Promise<void> {
  await posthorn.until(() => posthorn.told.some((o) => o.what === 'breaker_opened'))
}

function attemptsOf(posthorn: TestPosthorn, { id }: TestSubscription) {
  return posthorn.attempts.filter(({ record }) => record.subscriptionId === id)
}

/** Resolves when nothing of it is in flight, with the number of its attempts. */
async function allRecorded(posthorn: TestPosthorn, subscription: TestSubscription): Promise<number> {
  const sent = () => posthorn.receiver.requests.filter((request) => request.path === subscription.path).length
  await posthorn.until(() => attemptsOf(posthorn, subscription).length === sent())
  return sent()
}

/** Makes the next probe due now, instead of waiting for it. */
async function probeIsDue({ db }: TestPosthorn, { id }: TestSubscription): Promise<void> {
  await db.prisma.subscription.update({ where: { id }, data: { breakerProbeAt: new Date(0) } })
}

function subscriptionOf({ db }: TestPosthorn, { id }: TestSubscription) {
  return db.prisma.subscription.findUniqueOrThrow({ where: { id } })
}
