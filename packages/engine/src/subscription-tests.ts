/**
 * Testing a subscription: one signed request, now, and everything that came of it.
 *
 * Only dispatchers send, and the process that was asked may be none: so the test is written down, a dispatcher takes it,
 * makes it and writes down the outcome, for which the asker waits. It is no delivery. It is sent whatever the state of the
 * subscription is, at most once, and changes nobody's health, backlog or history.
 *
 * If the dispatcher dies in the middle, the test stays taken and the asker is told that nobody knows. If the asker goes
 * away, the row is deleted after ten minutes.
 */
import { setTimeout as wait } from 'node:timers/promises'
import {
  type FailureCode,
  formatId,
  limits,
  type PayloadFormat,
  Problem,
  type SignatureScheme,
  type Uuid,
} from '@posthorn/contract'
import type { Claim } from './attempt.ts'
import { writeAudit } from './audit.ts'
import type { Database } from './db/database.ts'
import type { Prisma } from './db/generated/client.ts'
import type { AttemptRecord } from './db/sql/record-attempts.ts'
import { takeSubscriptionTest } from './db/sql/take-subscription-test.ts'
import { transaction } from './db/transaction.ts'
import { getEventType } from './event-types.ts'
import { getSubscription } from './subscription-reads.ts'
import type { Within } from './tenancy.ts'
import { newUuid, type World } from './world.ts'

/** The type of a test's event when none was chosen. Nobody can publish it. */
export const testEventType = 'posthorn.test'

export const testEventData = JSON.stringify({ message: 'This is a test. Nothing has happened.' })

/** How long a dispatcher may take to come for it, in milliseconds. */
const takenMsMax = 5_000
/** How long it may take beyond the time-out of the subscription: a transform, and writing down. */
const marginMs = 10_000
const lookEveryMs = 100
/** Of one tenant under way at once. Dispatchers have few places for them, which one tenant must not have to itself. */
const testsPerTenantMax = 2
const checksPerTenantMax = 1

/** What came of a test. */
export type TestOutcome = {
  eventId: Uuid
  eventType: string
  startedAt: string
  url: string
  requestHeaders: Record<string, string>
  requestBody: string
  remoteAddress: string | null
  status: number | null
  failureCode: FailureCode | null
  failureDetail: string | null
  responseHeaders: Record<string, string>
  /** In base64. */
  responseBody: string
  responseTruncated: boolean
  waitMs: number
  dnsMs: number | null
  connectMs: number | null
  tlsMs: number | null
  firstByteMs: number | null
  totalMs: number
}

/** A test that this process has to make. */
export type TakenTest = {
  id: Uuid
  claim: Claim
  /** Of the subscription; null for none. */
  rateLimitPerSecond: number | null
}

export type AskedTest = { eventType?: string; actor: string; isReceiverCheck: boolean }

/**
 * Has a subscription tested, and waits for the outcome.
 *
 * @throws Problem `subscription_not_found`, `event_type_not_found`, `invalid_request`, `subscription_test_running`,
 * `no_dispatcher`, `outcome_unknown`
 */
export async function testSubscription(
  { db, world }: { db: Database; world: World },
  subscriptionId: Uuid,
  within: Within,
  asked: { eventType?: string; actor: string },
): Promise<TestOutcome> {
  // Written by `finishTest` and by nobody else.
  return (await requestTest({ db, world }, subscriptionId, within, { ...asked, isReceiverCheck: false })) as TestOutcome
}

/**
 * Writes a test down and waits for what its dispatcher writes: for a check of a receiver, that of all its requests.
 *
 * @throws Problem as `testSubscription`
 */
export async function requestTest(
  parts: { db: Database; world: World },
  subscriptionId: Uuid,
  within: Within,
  asked: AskedTest,
): Promise<unknown> {
  const { db, world } = parts
  const { tenantId, timeoutMs } = await getSubscription(db, subscriptionId, within)
  const event = await exampleOf(db, asked.eventType)
  const id = newUuid(world)
  const { isReceiverCheck } = asked
  const outdated = [true, false].map((isCheck) => {
    return { isReceiverCheck: isCheck, requestedAt: { lt: awaitedSince(world, madeMsMax(isCheck, timeoutMs)) } }
  })
  await db.prisma.subscriptionTest.deleteMany({
    where: { subscriptionId, OR: [{ finishedAt: { not: null } }, ...outdated] },
  })
  await refuseTooMany(parts, { tenantId, subscriptionId, isReceiverCheck, timeoutMs })
  const isMade = await transaction(db, async (tx) => {
    const { count } = await tx.subscriptionTest.createMany({
      data: [{ id, tenantId, subscriptionId, eventId: newUuid(world), actor: asked.actor, isReceiverCheck, ...event }],
      skipDuplicates: true,
    })
    if (count > 0) await writeAudit(tx, db, { target: formatId('subscription', subscriptionId), tenantId })
    return count > 0
  })
  if (!isMade) {
    throw new Problem(
      'subscription_test_running',
      'Another test of this subscription is under way. Wait for its outcome.',
    )
  }
  return outcomeOf(db, id, madeMsMax(isReceiverCheck, timeoutMs))
}

/** Somebody waits for the outcome of what was asked for since then. */
function awaitedSince(world: World, madeMs: number): Date {
  return new Date(world.now() - takenMsMax - madeMs - marginMs)
}

/** Two at once may both find room. What a dispatcher takes is counted again. */
async function refuseTooMany(
  { db, world }: { db: Database; world: World },
  { tenantId, subscriptionId, isReceiverCheck, timeoutMs }: Asking,
): Promise<void> {
  const max = perTenantMax(isReceiverCheck)
  const requestedAt = { gte: awaitedSince(world, madeMsMax(isReceiverCheck, timeoutMs)) }
  const others = await db.prisma.subscriptionTest.count({
    where: { tenantId, subscriptionId: { not: subscriptionId }, isReceiverCheck, finishedAt: null, requestedAt },
  })
  if (others < max) return
  const what = isReceiverCheck ? 'A check of another receiver' : `${max} tests of other subscriptions`
  throw new Problem(
    'subscription_test_running',
    `${what} of this tenant ${max === 1 ? 'is' : 'are'} under way, and no more are made at once. Wait for the outcome.`,
  )
}

type Asking = { tenantId: string; subscriptionId: Uuid; isReceiverCheck: boolean; timeoutMs: number }

function perTenantMax(isReceiverCheck: boolean): number {
  return isReceiverCheck ? checksPerTenantMax : testsPerTenantMax
}

/** How long making it may take, in milliseconds. */
function madeMsMax(isReceiverCheck: boolean, timeoutMs: number): number {
  return isReceiverCheck ? limits.receiverCheckMsMax : timeoutMs
}

/** The example of the newest version, as the data of an event. */
async function exampleOf(db: Database, eventType: string | undefined) {
  if (eventType === undefined) {
    return { eventType: testEventType, data: testEventData, schemaVersion: null }
  }
  const { name, latestVersion } = await getEventType(db, eventType)
  const version = await db.prisma.eventTypeVersion.findFirst({
    where: { eventType: name, version: latestVersion },
    select: { examples: true, version: true },
  })
  const example: unknown = Array.isArray(version?.examples) ? version.examples[0] : undefined
  if (version == null || example === undefined) {
    const detail = `names an event type whose newest version has no example (${name})`
    throw new Problem('invalid_request', `event_type ${detail}. Add a version with one, or leave event_type out.`, {
      errors: [{ pointer: '?event_type', detail }],
    })
  }
  return { eventType: name, data: JSON.stringify(example), schemaVersion: version.version }
}

async function outcomeOf(db: Database, id: Uuid, madeMs: number): Promise<unknown> {
  const startedMs = performance.now()
  for (;;) {
    await wait(lookEveryMs)
    const row = await db.prisma.subscriptionTest.findUnique({ where: { id } })
    if (row?.outcome != null) return row.outcome
    const waitedMs = performance.now() - startedMs
    if (row !== null && row.takenAt === null && waitedMs > takenMsMax) {
      // Taken in this very moment, it is there no more to be deleted.
      const { count } = await db.prisma.subscriptionTest.deleteMany({ where: { id, takenAt: null } })
      if (count === 1) {
        throw new Problem(
          'no_dispatcher',
          `No dispatcher took the test within ${takenMsMax / 1000} s, so nothing was sent.`,
          {
            retryAfterSeconds: 5,
          },
        )
      }
    }
    if (row === null || waitedMs > takenMsMax + madeMs + marginMs) {
      throw new Problem(
        'outcome_unknown',
        'The dispatcher that took the test has not told its outcome. It may have been sent.',
      )
    }
  }
}

/** Takes a test that waits, ready to be made. */
export async function takeTest(
  db: Database,
  world: World,
  { isReceiverCheck }: { isReceiverCheck: boolean },
): Promise<TakenTest | undefined> {
  const id = await takeSubscriptionTest(db.pool, {
    waitMsMax: takenMsMax,
    isReceiverCheck,
    perTenantMax: perTenantMax(isReceiverCheck),
    underWayMsMax: madeMsMax(isReceiverCheck, limits.timeoutMsMax) + marginMs,
  })
  if (id === undefined) return undefined
  const test = await db.prisma.subscriptionTest.findUnique({
    where: { id },
    include: {
      subscription: {
        include: {
          secrets: {
            where: { ended: false, OR: [{ expiresAt: null }, { expiresAt: { gt: new Date(world.now()) } }] },
            orderBy: [{ expiresAt: { sort: 'desc', nulls: 'first' } }, { id: 'desc' }],
          },
        },
      },
    },
  })
  if (test === null) return undefined
  const { subscription, tenantId, subscriptionId } = test
  const claim: Claim = {
    deliveryId: id,
    attemptId: id,
    tenantId,
    subscriptionId,
    eventId: test.eventId,
    number: 1,
    trigger: 'test',
    actor: test.actor,
    reason: null,
    scheduleStep: 0,
    scheduleWaits: false,
    waitedMs: Math.max(0, (test.takenAt ?? test.requestedAt).getTime() - test.requestedAt.getTime()),
    url: subscription.url,
    // Receivers can tell it from the real thing, also when it has the type of a real event.
    headers: { ...(subscription.headers as Record<string, string>), 'posthorn-test': '1' },
    timeoutMs: subscription.timeoutMs,
    retryScheduleSeconds: [],
    keys: subscription.secrets.map((secret) => ({
      id: secret.id,
      tenantId,
      subscriptionId,
      // The columns' CHECKs are held to the lists of words by a test.
      scheme: secret.scheme as SignatureScheme,
      sealed: Buffer.from(secret.sealedKey).toString('base64'),
    })),
    payloadFormat: subscription.payloadFormat as PayloadFormat,
    finalStatuses: [],
    authSealed: subscription.authSealed,
    tlsSealed: subscription.tlsSealed,
    ailing: null,
    failedProbes: null,
    transform: subscription.transform,
    event: {
      type: test.eventType,
      timestamp: test.requestedAt,
      data: test.data,
      schemaVersion: test.schemaVersion,
      ...(subscription.transform === null ? {} : { keys: {} }),
    },
  }
  return { id, claim, rateLimitPerSecond: subscription.rateLimitPerSecond }
}

/** Writes down what came of a test. */
export async function finishTest(
  db: Database,
  { id, claim }: TakenTest,
  record: AttemptRecord,
  body: string,
): Promise<void> {
  await writeOutcome(db, id, testOutcome(claim, record, body))
}

/** Lets whoever asked for it know. */
export async function writeOutcome(db: Database, id: Uuid, outcome: Prisma.InputJsonObject): Promise<void> {
  await db.prisma.subscriptionTest.updateMany({ where: { id }, data: { outcome, finishedAt: new Date() } })
}

/** What came of one request. */
export function testOutcome(claim: Claim, record: AttemptRecord, body: string): TestOutcome {
  return {
    eventId: claim.eventId,
    eventType: claim.event.type,
    startedAt: record.startedAt.toISOString(),
    url: record.url,
    requestHeaders: record.requestHeaders,
    requestBody: body,
    remoteAddress: record.remoteAddress,
    status: record.status,
    failureCode: record.failureCode,
    failureDetail: record.failureDetail,
    responseHeaders: record.responseHeaders,
    responseBody: Buffer.from(record.responseBody).toString('base64'),
    responseTruncated: record.responseTruncated,
    waitMs: record.waitMs,
    dnsMs: record.dnsMs,
    connectMs: record.connectMs,
    tlsMs: record.tlsMs,
    firstByteMs: record.firstByteMs,
    totalMs: record.totalMs,
  }
}
