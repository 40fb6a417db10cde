import { parseId, systemEvents, systemEventTypes, uuidV7 } from '@posthorn/contract'
import {
  createPublisher,
  ensureOperator,
  ensurePartitions,
  openJobs,
  publishSystemEvents,
  resendDelivery,
  resumeSubscription,
} from '@posthorn/engine'
import { createSchemas } from '@posthorn/json-schema'
import type { Answer, ReceivedRequest } from 'posthorn/receiver'
import { expect, test } from 'vitest'
import { type SubscribeOptions, seal, startTestPosthorn, type TestPosthorn, world } from './posthorn.ts'

// Those that wait for jobs, which are looked for every 2 s, run at the same time.

const operatorTenant = 'posthorn'
/** The subscription of the operator is the first one of each test. */
const operatorPath = '/hooks/1'
const hourMs = 3_600_000

test('the operator is told of a delivery that has failed for good, once, by a signed event that fits its schema', async () => {
  await using posthorn = await withOperator(() => ({ status: 503 }))
  const customer = await posthorn.subscribe({ eventTypes: ['invoice.*'], retryScheduleSeconds: [0] })
  await posthorn.dispatch()
  const { eventId, deliveries } = await posthorn.publish()
  await posthorn.recorded(1)
  await posthorn.timePasses()
  const [request] = await toldOf(posthorn, 'posthorn.delivery.exhausted', 1)
  expect(request?.signature).toBe('valid')
  const { type, data } = JSON.parse(request?.body ?? '')
  expect(type).toBe('posthorn.delivery.exhausted')
  expect(data).toEqual({
    tenant: 'acme',
    subscription_id: expect.any(String),
    url: `${posthorn.receiver.origin}${customer.path}`,
    delivery_id: expect.any(String),
    event_id: expect.any(String),
    event_type: 'invoice.paid',
    attempt_count: 2,
    last_failure_code: 'http_5xx',
    last_http_status: 503,
    failed_at: expect.any(String),
  })
  expect(parseId('subscription', data.subscription_id)).toBe(customer.id)
  expect(parseId('delivery', data.delivery_id)).toBe(deliveries[0]?.id)
  expect(parseId('event', data.event_id)).toBe(eventId)
  const { schema, example } = systemEvents['posthorn.delivery.exhausted']
  expect(createSchemas().compile(schema, [example]).check(data)).toEqual([])
  const stored = await posthorn.db.prisma.event.findMany({ where: { tenantId: operatorTenant } })
  expect(stored).toMatchObject([{ keys: { tenant: 'acme', subscription: data.subscription_id } }])
  expect(await posthorn.db.prisma.systemEvent.count()).toBe(0)
})

test('a resend that fails ends nothing that had not ended before, and is not told', async () => {
  await using posthorn = await withOperator(() => ({ status: 500 }))
  await posthorn.subscribe({ eventTypes: ['invoice.*'], retryScheduleSeconds: [0] })
  await posthorn.dispatch()
  const { deliveries } = await posthorn.publish()
  await posthorn.recorded(1)
  await posthorn.timePasses()
  await toldOf(posthorn, 'posthorn.delivery.exhausted', 1)
  await resendDelivery(posthorn.db, { deliveryId: deliveries[0]?.id ?? '', tenantId: undefined, actor: 'staff:ada' })
  await posthorn.until(() => posthorn.attempts.some(({ record }) => record.trigger === 'resend'))
  // Whatever there is to tell is written with the attempt: it would wait, or have been published.
  expect(await posthorn.db.prisma.systemEvent.count()).toBe(0)
  expect(await systemEventsOf(posthorn)).toEqual(['posthorn.delivery.exhausted'])
})

test.concurrent('a receiver that is gone is told of as disabled, and after somebody has resumed it as recovered, once each', async () => {
  let status = 410
  await using posthorn = await withOperator(() => ({ status }))
  const customer = await posthorn.subscribe({ eventTypes: ['invoice.*'] })
  await posthorn.dispatch()
  await posthorn.publish()
  const [disabled] = await toldOf(posthorn, 'posthorn.subscription.disabled', 1)
  expect(dataOf(disabled)).toMatchObject({ tenant: 'acme', reason: 'gone', failing_since: expect.any(String) })
  await toldOf(posthorn, 'posthorn.delivery.exhausted', 1)
  status = 204
  await resume(posthorn, customer.id)
  for (let event = 0; event < 5; event += 1) await posthorn.publish()
  const [recovered] = await toldOf(posthorn, 'posthorn.subscription.recovered', 1)
  expect(dataOf(recovered)).toMatchObject({ tenant: 'acme', failing_since: null })
  await posthorn.until(() => accepted(posthorn, customer.id) === 5)
  expect(await systemEventsOf(posthorn)).toEqual([
    'posthorn.delivery.exhausted',
    'posthorn.subscription.disabled',
    'posthorn.subscription.recovered',
  ])
  expect(await posthorn.db.prisma.systemEvent.count()).toBe(0)
})

test.concurrent('the timer disables a subscription that has failed for days; its work is held, and made when it is resumed', async () => {
  let status = 500
  await using posthorn = await withOperator(() => ({ status }))
  const customer = await posthorn.subscribe({
    eventTypes: ['invoice.*'],
    retryScheduleSeconds: [3_600],
    maxInFlight: 1,
  })
  await posthorn.dispatch()
  const failing = await posthorn.publish()
  await posthorn.recorded(1)
  await failedFor(posthorn, customer.id, 121)
  await askToJudge(posthorn)
  await posthorn.until(() => posthorn.told.some((o) => o.what === 'subscriptions_judged' && o.disabled === 1))
  await posthorn.until(() => posthorn.told.some((o) => o.what === 'deliveries_held' && o.count === 1))
  const [disabled] = await toldOf(posthorn, 'posthorn.subscription.disabled', 1)
  expect(dataOf(disabled)).toMatchObject({ reason: 'failing_too_long', failing_since: expect.any(String) })
  const later = await posthorn.publish()
  expect(await states(posthorn, [failing, later])).toEqual(['held', 'held'])
  status = 204
  await resume(posthorn, customer.id)
  await toldOf(posthorn, 'posthorn.subscription.recovered', 1)
  await posthorn.until(() => accepted(posthorn, customer.id) === 2)
  expect(await states(posthorn, [failing, later])).toEqual(['delivered', 'delivered'])
  const row = await posthorn.db.prisma.subscription.findUniqueOrThrow({ where: { id: customer.id } })
  expect(row).toMatchObject({ state: 'active', failingSince: null, failingPercent: 0, recoveryDue: false })
  expect(await systemEventsOf(posthorn)).toEqual(['posthorn.subscription.disabled', 'posthorn.subscription.recovered'])
})

test.concurrent('whoever was told that a subscription fails is told that it has recovered, and who was not told is not', async () => {
  let status = 500
  await using posthorn = await withOperator(() => ({ status }))
  const warned = await posthorn.subscribe({ eventTypes: ['invoice.*'], retryScheduleSeconds: [3_600] })
  const quiet = await posthorn.subscribe({ eventTypes: ['invoice.*'], retryScheduleSeconds: [3_600] })
  await posthorn.dispatch()
  await posthorn.publish()
  await posthorn.recorded(2)
  await failedFor(posthorn, warned.id, 61)
  await askToJudge(posthorn)
  const [failing] = await toldOf(posthorn, 'posthorn.subscription.failing', 1)
  const since = Date.parse(dataOf(failing).failing_since)
  expect(dataOf(failing)).toMatchObject({ percent: 50, disable_at: new Date(since + 120 * hourMs).toISOString() })
  status = 204
  await posthorn.timePasses()
  const [recovered] = await toldOf(posthorn, 'posthorn.subscription.recovered', 1)
  expect(dataOf(recovered)).toMatchObject({ failing_since: new Date(since).toISOString() })
  await posthorn.until(() => accepted(posthorn, quiet.id) === 1 && accepted(posthorn, warned.id) === 1)
  expect(await systemEventsOf(posthorn)).toEqual(['posthorn.subscription.failing', 'posthorn.subscription.recovered'])
})

test('nothing is told of the operator’s own subscriptions, however they fail: no event makes another one', async () => {
  await using posthorn = await startTestPosthorn({
    answer: ({ path }) => ({ status: path === '/hooks/1' ? 500 : 410 }),
  })
  const options = { tenantId: operatorTenant, retryScheduleSeconds: [0] }
  await posthorn.subscribe(options)
  await posthorn.subscribe(options)
  await posthorn.dispatch()
  await posthorn.publish({ tenantId: operatorTenant })
  await posthorn.recorded(2)
  await posthorn.timePasses()
  await posthorn.recorded(3)
  const deliveries = await posthorn.db.prisma.delivery.findMany()
  expect(deliveries.map(({ state }) => state)).toEqual(['failed', 'failed'])
  expect(await posthorn.db.prisma.systemEvent.count()).toBe(0)
  expect(await posthorn.db.prisma.event.count()).toBe(1)
  expect(await posthorn.db.prisma.subscription.count({ where: { state: 'disabled' } })).toBe(1)
})

test('a process that is killed between publishing and noting it publishes again, and nothing is stored or sent twice', async () => {
  await using posthorn = await startTestPosthorn()
  await ensureOperator(posthorn.db, operatorTenant)
  const own = await posthorn.subscribe({ tenantId: operatorTenant })
  await owe(posthorn, 3)
  const publisher = systemPublisher(posthorn)
  const killed = {
    ...publisher,
    publishMany: async (drafts: Parameters<typeof publisher.publishMany>[0]) => {
      await publisher.publishMany(drafts)
      throw new RangeError('killed')
    },
  }
  const parts = { db: posthorn.db, operatorTenant }
  await expect(publishSystemEvents({ ...parts, publisher: killed })).rejects.toThrow('killed')
  expect(await posthorn.db.prisma.event.count()).toBe(3)
  expect(await posthorn.db.prisma.systemEvent.count()).toBe(3)
  // Others leave to it what it took, until its lease is over.
  expect(await publishSystemEvents({ ...parts, publisher })).toBe(0)
  await posthorn.db.prisma.systemEvent.updateMany({ data: { takenUntil: new Date(0) } })
  expect(await publishSystemEvents({ ...parts, publisher })).toBe(3)
  expect(await publishSystemEvents({ ...parts, publisher })).toBe(0)
  expect(await posthorn.db.prisma.event.count()).toBe(3)
  expect(await posthorn.db.prisma.delivery.count({ where: { subscriptionId: own.id } })).toBe(3)
  expect(await posthorn.db.prisma.systemEvent.count()).toBe(0)
})

test('several dispatchers share what is to be told, and each thing is published once', async () => {
  await using posthorn = await startTestPosthorn()
  await ensureOperator(posthorn.db, operatorTenant)
  await owe(posthorn, 1_700)
  const one = { db: posthorn.db, operatorTenant, publisher: systemPublisher(posthorn) }
  const publishAll = async () => {
    let published = 0
    for (let count = -1; count !== 0; published += count) count = await publishSystemEvents(one)
    return published
  }
  const published = await Promise.all([publishAll(), publishAll(), publishAll()])
  expect(published.reduce((sum, count) => sum + count, 0)).toBe(1_700)
  expect(await posthorn.db.prisma.event.count()).toBe(1_700)
  expect(await posthorn.db.prisma.systemEvent.count()).toBe(0)
})

test('an operator’s tenant that was deleted is made anew, and what was to be told waits for it', async () => {
  await using posthorn = await startTestPosthorn()
  await owe(posthorn, 1)
  await posthorn.dispatch()
  await posthorn.until(() => posthorn.told.some((o) => o.what === 'system_events_published' && o.count === 1))
  expect(await posthorn.db.prisma.tenant.findMany()).toMatchObject([{ id: operatorTenant }])
  expect(await systemEventsOf(posthorn)).toEqual(['posthorn.subscription.disabled'])
})

test('each system event is an event type with a schema that its example fits, however many processes start at once', async () => {
  await using posthorn = await startTestPosthorn()
  await Promise.all([1, 2, 3, 4].map(() => ensureOperator(posthorn.db, operatorTenant)))
  const types = await posthorn.db.prisma.eventType.findMany({ include: { versions: true } })
  expect(types.map(({ name }) => name).toSorted()).toEqual([...systemEventTypes].toSorted())
  for (const { name, description, latestVersion, versions } of types) {
    expect([name, description, latestVersion, versions.length]).toEqual([name, expect.any(String), 1, 1])
    const [version] = versions
    createSchemas().compile(version?.schema, Array.isArray(version?.examples) ? version.examples : ['?'])
  }
  const changed = { eventType: 'posthorn.subscription.failing', version: 1 }
  const where = { eventType_version: changed }
  await posthorn.db.prisma.eventTypeVersion.update({ where, data: { schema: { type: 'object' } } })
  await ensureOperator(posthorn.db, operatorTenant)
  expect(await posthorn.db.prisma.eventTypeVersion.count({ where: { eventType: changed.eventType } })).toBe(2)
})

/** The operator's subscription, which accepts everything, and what the others answer. */
async function withOperator(answer: (request: ReceivedRequest) => Answer, options: SubscribeOptions = {}) {
  const posthorn = await startTestPosthorn({
    answer: (request) => (request.path === operatorPath ? { status: 204 } : answer(request)),
  })
  await ensureOperator(posthorn.db, operatorTenant)
  await posthorn.subscribe({ tenantId: operatorTenant, eventTypes: ['posthorn.*'], maxInFlight: 1, ...options })
  return posthorn
}

/** Resolves when the operator has received so many events of a type. */
async function toldOf({ until, receiver }: TestPosthorn, type: string, count: number) {
  const told = () =>
    receiver.requests.filter(({ path, body }) => path === operatorPath && JSON.parse(body).type === type)
  await until(() => told().length >= count)
  return told()
}

function dataOf(request: ReceivedRequest | undefined) {
  return JSON.parse(request?.body ?? '{}').data
}

/** The types of all system events that were stored, in the order of the alphabet. */
async function systemEventsOf({ db }: TestPosthorn): Promise<string[]> {
  const events = await db.prisma.event.findMany({ where: { tenantId: operatorTenant } })
  return events.map(({ type }) => type).toSorted()
}

function accepted({ attempts }: TestPosthorn, subscriptionId: string): number {
  return attempts.filter(({ record }) => record.subscriptionId === subscriptionId && record.failureCode === null).length
}

async function states({ db }: TestPosthorn, events: readonly { eventId: string }[]) {
  const rows = await db.prisma.delivery.findMany()
  return events.map((event) => rows.find((row) => row.eventId === event.eventId)?.state)
}

function systemPublisher({ db }: TestPosthorn) {
  const means = { db, world, checkSchema: async () => [], createEventTypes: false }
  return createPublisher({ ...means, reserved: true, onWork: () => undefined })
}

/** So many things to tell, about customers' subscriptions. */
async function owe({ db }: TestPosthorn, count: number): Promise<void> {
  await db.prisma.systemEvent.createMany({
    data: Array.from({ length: count }, () => ({
      type: 'posthorn.subscription.disabled',
      tenantId: 'acme',
      subscriptionId: uuidV7(world.now(), world.randomBytes(10)),
      facts: { reason: 'gone', failing_since: null },
    })),
  })
}

/** Puts the failures of a subscription into the past, an hour apart, as if it had failed for so many hours. */
async function failedFor({ db }: TestPosthorn, id: string, hours: number): Promise<void> {
  await ensurePartitions(db.pool, { now: new Date(), daysBack: 7 })
  const attempt = await db.prisma.attempt.findFirstOrThrow({ where: { subscriptionId: id } })
  const sinceMs = Date.now() - hours * hourMs
  const earlier = Array.from({ length: hours }, (_, hour) => ({
    ...attempt,
    id: uuidV7(sinceMs + hour * hourMs, world.randomBytes(10)),
    requestHeaders: {},
    responseHeaders: {},
  }))
  await db.prisma.attempt.createMany({ data: earlier })
  await db.prisma.subscription.update({ where: { id }, data: { failingSince: new Date(sinceMs) } })
}

/** Asks for the job that the timer sends every minute. */
async function askToJudge({ url }: TestPosthorn): Promise<void> {
  await using jobs = await openJobs({ url, mode: 'send', onError: () => undefined })
  await jobs.boss.send('judge-subscriptions', {})
}

async function resume({ db, url, transforms }: TestPosthorn, id: string): Promise<void> {
  await using jobs = await openJobs({ url, mode: 'send', onError: () => undefined })
  const checkUrl = (given: string) => Promise.resolve(given)
  await resumeSubscription({ db, transforms, world, jobs, checkUrl, seal }, id, undefined, 'held')
}
