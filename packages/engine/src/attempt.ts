/**
 * An attempt, before and after its request: what is sent is prepared here and what came of it is judged here, both
 * without touching the network or the database.
 */
import { type AttemptTrigger, type FailureCode, formatId, type PayloadFormat, type Uuid } from '@posthorn/contract'
import { type PrivateKey, type SigningKey, signedHeaders } from '@posthorn/signing'
import { redacted } from './custom-headers.ts'
import type { ClaimedRow } from './db/sql/claim-deliveries.ts'
import type { AttemptRecord } from './db/sql/record-attempts.ts'
import { type EventOrigin, eventOrigin, payload } from './payload.ts'
import { type AttemptResult, defaultRetryScheduleSeconds, type NextStep, nextStep, slowDownMs } from './schedule.ts'
import type { Seal } from './sealing.ts'
import type { KeyRing, StoredKey } from './signing-keys.ts'
import { openedAuth, type TokenGrant, withoutAuth } from './subscription-auth.ts'
import { transformHeaders } from './transform-headers.ts'
import { version } from './version.ts'

/** Names the sender to the receiver's developer. */
const userAgent = `Posthorn/${version}`

/**
 * How long nothing is sent to a subscription for which a request could not be signed, in milliseconds: five minutes. Only
 * an operator can mend that, and each look costs an attempt in the history.
 */
const unsignablePauseMs = 5 * 60 * 1000
/** The same when its transform could not be evaluated for a reason of ours: evaluators are started anew within seconds. */
const untransformedPauseMs = 10_000
/**
 * The same when the egress proxy failed, in milliseconds: a minute, and up to a fifth more, so that not all subscriptions
 * come back at once. A proxy fails for all of them, and is mended without a change here.
 */
const proxyPauseMs = 60 * 1000
const proxyPauseJitterMax = 0.2

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
  /** The replay that the attempt is made for. */
  replayId?: Uuid | null
  scheduleStep: number
  scheduleWaits: boolean
  waitedMs: number
  url: string
  headers: Record<string, string>
  timeoutMs: number
  retryScheduleSeconds: readonly number[]
  /** The keys to sign with, sealed. */
  keys: readonly StoredKey[]
  payloadFormat: PayloadFormat
  finalStatuses: readonly number[]
  /** Credentials for the receiver, sealed. */
  authSealed: Uint8Array | null
  /** Client certificate and authorities for the connection, sealed. */
  tlsSealed: Uint8Array | null
  /** See `SubscriptionColumns`. */
  ailing: 'failing' | 'recovering' | null
  /** It is the probe of an open circuit breaker: how many failed before it. */
  failedProbes: number | null
  /** JSONata, by which the data of the event is to be, or has been, made into what is sent. */
  transform: string | null
  event: {
    type: string
    timestamp: Date
    data: string
    schemaVersion: number | null
    /** Only for a transform. */
    keys?: Readonly<Record<string, string>>
    /** Only where it is sent along. */
    traceparent?: string
    /** The publisher's own, which go with every delivery of the event. */
    headers?: Readonly<Record<string, string>>
  }
}

/** What an attempt is prepared with, beside the keys. */
export type AttemptMeans = {
  /** Opens the credentials of subscriptions that have some. */
  seal: Seal | undefined
  origin: EventOrigin
}

/** What a check of a receiver does otherwise than an ordinary attempt. */
export type Deviation = {
  /** How long ago it claims to have been signed, in seconds. */
  ageSeconds?: number
  /** What it is signed with, in place of the keys of the subscription. */
  keys?(own: readonly (SigningKey | PrivateKey)[]): readonly (SigningKey | PrivateKey)[]
  /** What is made of the body before it is signed. */
  body?(body: string): string
  /** Sent beside the others. */
  headers?: Readonly<Record<string, string>>
}

/** One HTTP request, ready to be sent. */
export type AttemptRequest = {
  url: string
  headers: Record<string, string>
  body: string
  timeoutMs: number
  /** The headers that carry credentials: sent, and written down nowhere. */
  secretHeaders: readonly string[]
  /** What to fetch a token with, which is then sent too. */
  grant: TokenGrant | null
}

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
  /** Its transform could not be evaluated, which is a fault of ours, and so it was not sent. */
  untransformed?: boolean
  /** `Retry-After` in milliseconds, read and capped. */
  retryAfterMs: number | null
  timings: { dns: number | null; connect: number | null; tls: number | null; firstByte: number | null; total: number }
}

/** Reads a claimed row. */
export function claimOf(row: ClaimedRow): Claim {
  const { subscription } = row
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
    replayId: row.replay_id,
    scheduleStep: row.schedule_step,
    scheduleWaits: row.resume_at !== null,
    waitedMs: row.waited_ms,
    url: subscription.url,
    headers: subscription.headers,
    timeoutMs: subscription.timeout_ms,
    retryScheduleSeconds:
      subscription.retry_schedule_seconds.length > 0
        ? subscription.retry_schedule_seconds
        : defaultRetryScheduleSeconds,
    keys: subscription.keys.map((key) => ({ ...key, tenantId: row.tenant_id, subscriptionId: row.subscription_id })),
    // The column's CHECK is held to the list of formats by a test.
    payloadFormat: subscription.payload_format as PayloadFormat,
    finalStatuses: subscription.final_statuses,
    authSealed: subscription.auth_sealed,
    tlsSealed: subscription.tls_sealed,
    transform: subscription.transform,
    ailing: subscription.ailing,
    // What a person asked for is no probe.
    failedProbes: row.trigger === 'automatic' ? subscription.breaker_failed_probes : null,
    event: {
      type: row.type,
      timestamp: row.timestamp,
      data: row.data,
      schemaVersion: row.schema_version,
      ...(row.keys_of_event === null ? {} : { keys: row.keys_of_event }),
      ...(row.traceparent === null ? {} : { traceparent: row.traceparent }),
      ...(row.headers_of_event === null ? {} : { headers: row.headers_of_event }),
    },
  }
}

/**
 * Prepares the request of an attempt. It is signed now and not earlier: receivers refuse signatures older than minutes.
 *
 * Only id, timestamp and body are signed (Standard Webhooks 1.0); the `posthorn-…` headers are there for convenience,
 * and the `ce-…` headers of CloudEvents in binary mode are as unprotected.
 *
 * @param nowMs the time of this attempt, Unix milliseconds
 * @param deviation only for checks of receivers
 * @throws SealError, WebhookArgumentError when a key or the credentials cannot be opened or there is no key: nothing is
 *   ever sent unsigned, or without its credentials
 */
export function prepareAttempt(
  claim: Claim,
  keyOf: KeyRing,
  nowMs: number,
  means: AttemptMeans = { seal: undefined, origin: eventOrigin({}) },
  deviation: Deviation = {},
): AttemptRequest {
  const auth = claim.authSealed === null ? withoutAuth : openedAuth(claim.authSealed, claim.subscriptionId, means.seal)
  const request = unsignedRequest(claim, auth.headers, means.origin)
  const body = deviation.body === undefined ? request.body : deviation.body(request.body)
  const own = claim.keys.map(keyOf)
  const timestamp = Math.floor(nowMs / 1000) - (deviation.ageSeconds ?? 0)
  const keys = deviation.keys === undefined ? own : deviation.keys(own)
  const signed = signedHeaders({ id: formatId('event', claim.eventId), timestamp, body }, keys)
  return { ...request, body, headers: { ...request.headers, ...deviation.headers, ...signed }, grant: auth.grant }
}

/**
 * The same without the three headers of the signature, which belong to an event that is stored and to one moment.
 *
 * Where a header has several authors the last one counts: the publisher of the event, who knows no receiver, then whoever
 * keeps the subscription, then its credentials, then Posthorn.
 *
 * @param secret the headers that carry credentials
 */
export function unsignedRequest(
  claim: Pick<
    Claim,
    'eventId' | 'event' | 'url' | 'headers' | 'payloadFormat' | 'timeoutMs' | 'number' | 'transform' | 'replayId'
  >,
  secret: Readonly<Record<string, string>>,
  origin: EventOrigin,
): AttemptRequest {
  const { body, headers } = payload({ id: claim.eventId, ...claim.event }, claim.payloadFormat, origin)
  return {
    url: claim.url,
    headers: {
      ...claim.event.headers,
      ...claim.headers,
      ...secret,
      ...headers,
      ...(claim.transform === null ? {} : transformHeaders(claim.transform, body)),
      ...(claim.event.traceparent === undefined ? {} : { traceparent: claim.event.traceparent }),
      'user-agent': userAgent,
      'posthorn-event-type': claim.event.type,
      'posthorn-attempt': String(claim.number),
      ...(claim.replayId == null ? {} : { 'posthorn-replay': formatId('replay', claim.replayId) }),
    },
    body,
    timeoutMs: claim.timeoutMs,
    secretHeaders: Object.keys(secret),
    grant: null,
  }
}

/**
 * Judges an attempt: what to write down, and what follows for the delivery and its subscription.
 *
 * An attempt that we broke off ourselves is not the receiver's failure: it is made again at once and takes no place in
 * the schedule. Nor does one that could not be signed, that could not be transformed for a reason of ours, or that the
 * egress proxy failed to carry: it is made again after a pause, which the whole subscription has.
 *
 * @param random a number from 0 (inclusive) to 1 (exclusive), for the jitter
 */
export function judgeAttempt(
  claim: Claim,
  request: AttemptRequest,
  outcome: AttemptOutcome,
  made: { startedAt: Date; random: number },
): AttemptRecord {
  const ownPauseMs = pauseOfOurs(outcome, made.random)
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
    eventType: claim.event.type,
    number: claim.number,
    trigger: claim.trigger,
    actor: claim.actor,
    reason: claim.reason,
    startedAt: made.startedAt,
    url: request.url,
    requestHeaders: withoutSecrets(request),
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
    next: follow(claim, outcome, { result, ownPauseMs }, made.random),
    gone: outcome.status === 410,
    slowDownMs: ownPauseMs ?? slowDownMs(result),
    health: null,
  }
}

/** Custom headers cannot name `authorization`; should one be there all the same, it is a credential. */
function withoutSecrets({ headers, secretHeaders }: AttemptRequest): Record<string, string> {
  const secret = headers['authorization'] === undefined ? secretHeaders : [...secretHeaders, 'authorization']
  if (secret.length === 0) return headers
  return { ...headers, ...Object.fromEntries(secret.map((name) => [name, redacted])) }
}

/** How long the subscription pauses because of a fault of ours that no attempt mends; null when it is none. */
function pauseOfOurs({ unsignable, untransformed, failureCode }: AttemptOutcome, random: number): number | null {
  if (unsignable) return unsignablePauseMs
  if (untransformed) return untransformedPauseMs
  return failureCode === 'egress_proxy_failed' ? Math.ceil(proxyPauseMs * (1 + proxyPauseJitterMax * random)) : null
}

function follow(
  claim: Claim,
  outcome: AttemptOutcome,
  { result, ownPauseMs }: { result: AttemptResult; ownPauseMs: number | null },
  random: number,
): NextStep {
  if (ownPauseMs !== null) return { kind: 'retry', delayMs: ownPauseMs, scheduleStep: claim.scheduleStep }
  if (outcome.failureCode === 'aborted') return { kind: 'retry', delayMs: 0, scheduleStep: claim.scheduleStep }
  const plan = {
    scheduleStep: claim.scheduleStep,
    retryScheduleSeconds: claim.retryScheduleSeconds,
    finalStatuses: claim.finalStatuses,
    extra: claim.trigger !== 'automatic',
    scheduleWaits: claim.scheduleWaits,
  }
  return nextStep(result, plan, random)
}
