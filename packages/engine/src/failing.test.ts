import { randomBytes } from 'node:crypto'
import { type AttemptTrigger, type FailureCode, uuidV7 } from '@posthorn/contract'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type Database, openDatabase } from './db/database.ts'
import { ensurePartitions } from './db/partitions.ts'
import { judgeSubscriptions } from './failing.ts'
import { type Jobs, openJobs } from './jobs.ts'
import { createTestDatabase, type TestDatabase } from './testing/index.ts'
import { newUuid, type World } from './world.ts'

const world: World = { now: () => Date.now(), randomBytes: (count) => randomBytes(count) }
const hourMs = 3_600_000
const windowHours = 120
/** As the default schedule has it, for one delivery: hours after the first attempt. */
const defaultSchedule = [0, 0.001, 0.08, 0.6, 2.6, 7.6, 17.6, 31.6, 51.6, 75.6]
const hourly = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => from + index)

let database: TestDatabase
let db: Database
let jobs: Jobs

beforeAll(async () => {
  database = await createTestDatabase()
  db = openDatabase({ url: database.url, poolSize: 5 })
  jobs = await openJobs({ url: database.url, mode: 'send', onError: () => undefined })
  await db.prisma.tenant.createMany({ data: [{ id: 'acme' }, { id: 'posthorn' }] })
  await ensurePartitions(db.pool, { now: new Date(), daysBack: 40 })
})

beforeEach(async () => {
  await db.pool.query('truncate subscription, attempt, system_event cascade')
  await db.pool.query(`delete from pgboss.job where name = 'hold-deliveries'`)
})

afterAll(async () => {
  await jobs[Symbol.asyncDispose]()
  await db[Symbol.asyncDispose]()
  await database[Symbol.asyncDispose]()
})

test('a subscription with nothing but failure for the whole window is disabled, and its work is asked to be held', async () => {
  const id = await failing(windowHours + 0.1, { at: hourly(0, windowHours) })
  expect(await judge()).toEqual({ told: 0, disabled: 1 })
  expect(await subscriptionOf(id)).toMatchObject({ state: 'disabled', disabledReason: 'failing_too_long' })
  expect(await told()).toMatchObject([
    {
      type: 'posthorn.subscription.disabled',
      tenantId: 'acme',
      subscriptionId: id,
      facts: { reason: 'failing_too_long', failing_since: expect.any(String) },
    },
  ])
  expect(await holdingJobs()).toEqual([id])
})

test('a minute before the window is over nothing is disabled', async () => {
  const id = await failing(windowHours - 1 / 60, { at: hourly(0, windowHours - 1), percent: 90 })
  expect(await judge()).toEqual({ told: 0, disabled: 0 })
  expect(await subscriptionOf(id)).toMatchObject({ state: 'active' })
})

test('one delivery that failed through the default schedule is enough, although nothing was sent since', async () => {
  const id = await failing(windowHours + 0.01, { at: defaultSchedule })
  expect(await judge()).toMatchObject({ disabled: 1 })
  expect(await subscriptionOf(id)).toMatchObject({ state: 'disabled' })
})

test('one attempt that failed long ago, with nothing to send since, disables nothing and is not told', async () => {
  const id = await failing(30 * 24, { at: [0] })
  expect(await judge()).toEqual({ told: 0, disabled: 0 })
  expect(await subscriptionOf(id)).toMatchObject({ state: 'active', failingPercent: 0 })
})

test('many attempts that failed long ago disable nothing now', async () => {
  await failing(30 * 24, { at: defaultSchedule })
  expect(await judge()).toEqual({ told: 0, disabled: 0 })
})

test('a burst of failures does not stand for a whole window, however long ago the first failure was', async () => {
  await failing(30 * 24, { at: [0, ...Array.from({ length: 50 }, (_, index) => 30 * 24 - 3 + index / 20)] })
  expect(await judge()).toEqual({ told: 0, disabled: 0 })
})

test('four failures are too few, and five in three fifths of the window are enough', async () => {
  const few = await failing(windowHours + 0.1, { at: [1, 30, 55, 80] })
  const close = await failing(windowHours + 0.1, { at: [1, 2, 3, 26, 30, 40] })
  const enough = await failing(windowHours + 0.1, { at: [1, 30, 31, 55, 56] })
  await judge()
  const states = await Promise.all([few, close, enough].map(async (id) => (await subscriptionOf(id)).state))
  expect(states).toEqual(['active', 'active', 'disabled'])
})

test.each<{ what: string; trigger?: AttemptTrigger; failureCode?: FailureCode }>([
  { what: 'attempts that a person asked for', trigger: 'resend' },
  { what: 'tests', trigger: 'test' },
  { what: 'faults of ours', failureCode: 'internal_error' },
  { what: 'attempts that were broken off', failureCode: 'aborted' },
])('$what do not count', async ({ trigger = 'automatic', failureCode = 'http_5xx' }) => {
  await failing(windowHours + 1, { at: hourly(0, windowHours), trigger, failureCode })
  expect(await judge()).toEqual({ told: 0, disabled: 0 })
})

test('the operator is told at half and at nine tenths of the window, once each, however often and by however many it is judged', async () => {
  const half = await failing(windowHours / 2 + 0.1, { at: hourly(0, 60) })
  const most = await failing(windowHours * 0.9 + 0.1, { at: hourly(0, 108), percent: 50 })
  const both = await failing(windowHours * 0.95, { at: hourly(0, 114) })
  await Promise.all([judge(), judge(), judge(), judge()])
  await judge()
  const facts = new Map((await told()).map((row) => [row.subscriptionId, [row.type, row.facts]]))
  expect(await told()).toHaveLength(3)
  const fails = 'posthorn.subscription.failing'
  expect(facts.get(half)).toMatchObject([fails, { percent: 50 }])
  expect(facts.get(most)).toMatchObject([fails, { percent: 90 }])
  expect(facts.get(both)).toMatchObject([fails, { percent: 90 }])
  const row = await subscriptionOf(half)
  expect(row).toMatchObject({ state: 'active', failingPercent: 50, recoveryDue: true })
  const { disable_at } = Object.fromEntries(Object.entries((facts.get(half) ?? [])[1] ?? {}))
  expect(Date.parse(disable_at)).toBe(Number(row.failingSince) + windowHours * hourMs)
})

test('several who judge at once disable each subscription once', async () => {
  for (let count = 0; count < 30; count += 1) await failing(windowHours + 1, { at: hourly(0, windowHours) })
  const results = await Promise.all([judge(), judge(), judge()])
  expect(results.reduce((sum, { disabled }) => sum + disabled, 0)).toBe(30)
  expect(await told()).toHaveLength(30)
  expect(new Set(await holdingJobs()).size).toBe(30)
})

test('what is disabled and not told, or told and not held, does not exist: a judgement that is broken off changes nothing', async () => {
  const id = await failing(windowHours + 1, { at: hourly(0, windowHours) })
  const broken = { ...jobs, send: () => Promise.reject(new RangeError('killed')) }
  const parts = { db, disableAfterMs: windowHours * hourMs, operatorTenant: 'posthorn' }
  await expect(judgeSubscriptions({ ...parts, jobs: broken })).rejects.toThrow('killed')
  expect([(await subscriptionOf(id)).state, await told()]).toEqual(['active', []])
  expect(await judge()).toEqual({ told: 0, disabled: 1 })
})

test('paused, disabled and deleted subscriptions are not judged', async () => {
  await failing(windowHours + 1, { at: hourly(0, windowHours), state: 'paused' })
  await failing(windowHours + 1, { at: hourly(0, windowHours), state: 'disabled', disabledReason: 'gone' })
  await failing(windowHours + 1, { at: hourly(0, windowHours), deletedAt: new Date() })
  expect(await judge()).toEqual({ told: 0, disabled: 0 })
})

test('a subscription of the operator is disabled like any other, and nobody is told', async () => {
  const id = await failing(windowHours + 1, { at: hourly(0, windowHours), tenantId: 'posthorn' })
  await failing(windowHours * 0.6, { at: hourly(0, 72), tenantId: 'posthorn' })
  expect(await judge()).toEqual({ told: 1, disabled: 1 })
  expect(await subscriptionOf(id)).toMatchObject({ state: 'disabled', disabledReason: 'failing_too_long' })
  expect(await told()).toEqual([])
})

test('thousands that wait for proof do not keep the others from being judged', async () => {
  const ids = Array.from({ length: 1_000 }, () => newUuid(world))
  await db.prisma.subscription.createMany({
    data: ids.map((id) => ({ ...common, id, failingSince: new Date(Date.now() - 200 * hourMs) })),
  })
  const id = await failing(windowHours + 1, { at: hourly(0, windowHours) })
  expect(await judge()).toEqual({ told: 0, disabled: 1 })
  expect(await subscriptionOf(id)).toMatchObject({ state: 'disabled' })
})

const common = { tenantId: 'acme', url: 'https://hooks.acme.example/', eventTypes: ['*'], shard: 0 }

function judge() {
  return judgeSubscriptions({ db, jobs, disableAfterMs: windowHours * hourMs, operatorTenant: 'posthorn' })
}

type Failing = {
  /** When its attempts failed, in hours after the first one. */
  at: readonly number[]
  trigger?: AttemptTrigger
  failureCode?: FailureCode
  /** What was told before. */
  percent?: number
  tenantId?: string
  state?: string
  disabledReason?: string
  deletedAt?: Date
}

/** A subscription that has failed for so many hours. */
async function failing(forHours: number, wanted: Failing): Promise<string> {
  const { at, trigger = 'automatic', failureCode = 'http_5xx', percent = 0, ...more } = wanted
  const id = newUuid(world)
  const sinceMs = Date.now() - forHours * hourMs
  await db.prisma.subscription.create({
    data: { ...common, ...more, id, failingSince: new Date(sinceMs), failingPercent: percent },
  })
  const times = at.map((hours) => sinceMs + hours * hourMs)
  await db.prisma.attempt.createMany({
    data: times.map((ms) => ({
      id: uuidV7(ms, randomBytes(10)),
      tenantId: 'acme',
      deliveryId: newUuid(world),
      eventId: newUuid(world),
      subscriptionId: id,
      number: 1,
      trigger,
      startedAt: new Date(ms),
      url: common.url,
      requestHeaders: {},
      httpStatus: failureCode === 'http_5xx' ? 500 : null,
      failureCode,
      responseHeaders: {},
      responseBody: new Uint8Array(),
      responseTruncated: false,
      waitMs: 1,
      totalMs: 1,
    })),
  })
  return id
}

function subscriptionOf(id: string) {
  return db.prisma.subscription.findUniqueOrThrow({ where: { id } })
}

function told() {
  return db.prisma.systemEvent.findMany({ orderBy: { happenedAt: 'asc' } })
}

/** The subscriptions whose work is asked to be held. */
async function holdingJobs(): Promise<string[]> {
  const { rows } = await db.pool.query<{ id: string }>(
    `select data ->> 'subscription_id' as id from pgboss.job where name = 'hold-deliveries'`,
  )
  return rows.map((row) => row.id)
}
