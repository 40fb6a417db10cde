/**
 * An attempt, before and after its request: what is sent is prepared here and what came of it is judged here, both
 * without touching the network or the database.
 */
import { type AttemptTrigger, type FailureCode, formatId, type Uuid } from '@posthorn/contract'
import { signedHeaders } from '@posthorn/signing'
import type { ClaimedRow } from './db/sql/claim-deliveries.ts'
import type { AttemptRecord } from './db/sql/record-attempts.ts'
import { envelope } from './envelope.ts'
import { type AttemptResult, defaultRetryScheduleSeconds, type NextStep, nextStep, slowDownMs } from './schedule.ts'
import type { KeyRing, StoredKey } from './signing-keys.ts'
import { version } from './version.ts'

/** Names the sender to the receiver's developer. */
const userAgent = `Posthorn/${version}`

/**
 * How long nothing is sent to a subscription for which a request could not be signed, in milliseconds: five minutes. Only
 * an operator can mend that, and each look costs an attempt in the history.
 */
const unsignablePauseMs = 5 * 60 * 1000

/** A claimed delivery: everything needed to make the attempt and to decide what follows. */
export type Claim = {
  deliveryId: Uuid
  tenantId: string
  eventId: Uuid
  subscriptionId: Uuid
  attemptId: Uuid
  number: number
  trigger: AttemptTrigger
  actor: string | null
  reason: string | null
  scheduleStep: number
  scheduleWaits: boolean
  waitedMs: number
  url: string
  headers: Record<string, string>
  timeoutMs: number
  retryScheduleSeconds: readonly number[]
  /** The keys to sign with, sealed. */
  keys: readonly StoredKey[]
  event: { type: string; timestamp: Date; data: string }
}

/** One HTTP request, ready to be sent. */
export type AttemptRequest = { url: string; headers: Record<string, string>; body: string; timeoutMs: number }

/** What a receiver did, as the sender tells it. */
export type AttemptOutcome = {
  status: number | null
  /** Null exactly for a 2xx. */
  failureCode: FailureCode | null
  failureDetail: string | null
  remoteAddress: string | null
  responseHeaders: Record<string, string>
  responseBody: Uint8Array
  responseTruncated: boolean
  /** It could not be signed, and so was not sent. */
  unsignable?: boolean
  /** `Retry-After` in milliseconds, read and capped. */
  retryAfterMs: number | null
  timings: { dns: number | null; connect: number | null; tls: number | null; firstByte: number | null; total: number }
}

/** Reads a claimed row. */
export function claimOf(row: ClaimedRow): Claim {
  return {
    deliveryId: row.delivery_id,
    tenantId: row.tenant_id,
    eventId: row.event_id,
    subscriptionId: row.subscription_id,
    attemptId: row.attempt_id,
    number: row.attempt_number,
    // The column's CHECK is held to the list of triggers by a test.
    trigger: row.trigger as AttemptTrigger,
    actor: row.actor,
    reason: row.reason,
    scheduleStep: row.schedule_step,
    scheduleWaits: row.resume_at !== null,
    waitedMs: row.waited_ms,
    url: row.url,
    headers: row.headers,
    timeoutMs: row.timeout_ms,
    retryScheduleSeconds:
      row.retry_schedule_seconds.length > 0 ? row.retry_schedule_seconds : defaultRetryScheduleSeconds,
    keys: row.keys.map((key) => ({ ...key, tenantId: row.tenant_id, subscriptionId: row.subscription_id })),
    event: { type: row.type, timestamp: row.timestamp, data: row.data },
  }
}

/**
 * Prepares the request of an attempt. It is signed now and not earlier: receivers refuse signatures older than minutes.
 *
 * Only id, timestamp and body are signed (Standard Webhooks 1.0); the `posthorn-…` headers are there for convenience.
 *
 * @param nowMs the time of this attempt, Unix milliseconds
 * @throws SealError, WebhookArgumentError when a key cannot be opened or there is none: nothing is ever sent unsigned
 */
export function prepareAttempt(claim: Claim, keyOf: KeyRing, nowMs: number): AttemptRequest {
  const body = envelope(claim.event)
  const signed = signedHeaders(
    { id: formatId('event', claim.eventId), timestamp: Math.floor(nowMs / 1000), body },
    claim.keys.map(keyOf),
  )
  return {
    url: claim.url,
    headers: {
      ...claim.headers,
      'content-type': 'application/json',
      'user-agent': userAgent,
      ...signed,
      'posthorn-event-type': claim.event.type,
      'posthorn-attempt': String(claim.number),
    },
    body,
    timeoutMs: claim.timeoutMs,
  }
}

/**
 * Judges an attempt: what to write down, and what follows for the delivery and its subscription.
 *
 * An attempt that we broke off ourselves is not the receiver's failure: it is made again at once and takes no place in
 * the schedule. Nor does one that could not be signed: it is made again after a pause, which the whole subscription has.
 *
 * @param random a number from 0 (inclusive) to 1 (exclusive), for the jitter
 */
export function judgeAttempt(
  claim: Claim,
  request: AttemptRequest,
  outcome: AttemptOutcome,
  made: { startedAt: Date; random: number },
): AttemptRecord {
  const result: AttemptResult = {
    status: outcome.status,
    retryAfterMs: outcome.retryAfterMs,
    delivered: outcome.failureCode === null,
  }
  return {
    id: claim.attemptId,
    tenantId: claim.tenantId,
    deliveryId: claim.deliveryId,
    eventId: claim.eventId,
    subscriptionId: claim.subscriptionId,
    number: claim.number,
    trigger: claim.trigger,
    actor: claim.actor,
    reason: claim.reason,
    startedAt: made.startedAt,
    url: request.url,
    requestHeaders: request.headers,
    remoteAddress: outcome.remoteAddress,
    status: outcome.status,
    failureCode: outcome.failureCode,
    failureDetail: outcome.failureDetail,
    responseHeaders: outcome.responseHeaders,
    responseBody: outcome.responseBody,
    responseTruncated: outcome.responseTruncated,
    waitMs: claim.waitedMs,
    dnsMs: outcome.timings.dns,
    connectMs: outcome.timings.connect,
    tlsMs: outcome.timings.tls,
    firstByteMs: outcome.timings.firstByte,
    totalMs: outcome.timings.total,
    next: follow(claim, outcome, result, made.random),
    gone: outcome.status === 410,
    slowDownMs: outcome.unsignable ? unsignablePauseMs : slowDownMs(result),
  }
}

function follow(claim: Claim, outcome: AttemptOutcome, result: AttemptResult, random: number): NextStep {
  if (outcome.unsignable) return { kind: 'retry', delayMs: unsignablePauseMs, scheduleStep: claim.scheduleStep }
  if (outcome.failureCode === 'aborted') return { kind: 'retry', delayMs: 0, scheduleStep: claim.scheduleStep }
  const plan = {
    scheduleStep: claim.scheduleStep,
    retryScheduleSeconds: claim.retryScheduleSeconds,
    extra: claim.trigger !== 'automatic',
    scheduleWaits: claim.scheduleWaits,
  }
  return nextStep(result, plan, random)
}
