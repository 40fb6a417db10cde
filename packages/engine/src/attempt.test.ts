import { randomBytes } from 'node:crypto'
import { failureCodes, type GivenAuth, payloadFormats } from '@posthorn/contract'
import { parseSecret, verify } from '@posthorn/signing'
import { expect, test } from 'vitest'
import {
  type AttemptOutcome,
  type AttemptRequest,
  type Claim,
  claimOf,
  judgeAttempt,
  prepareAttempt,
} from './attempt.ts'
import type { ClaimedRow } from './db/sql/claim-deliveries.ts'
import { sealSecret } from './sealed-secrets.ts'
import { createSeal, SealError } from './sealing.ts'
import { createKeyRing } from './signing-keys.ts'
import { sealedAuth } from './subscription-auth.ts'
import { testSeal } from './testing/master-keys.ts'

const secrets = [randomBytes(36), randomBytes(36)]
const owner = { tenantId: 'acme', subscriptionId: '01900000-0000-7000-8000-000000000005' }
const keys = secrets.map((secret, index) => {
  const place = { id: `01900000-0000-7000-8000-0000000000c${index}`, scheme: 'v1' as const }
  const { sealedKey } = sealSecret(testSeal, secret, { ...place, ...owner })
  return { ...place, sealed: Buffer.from(sealedKey).toString('base64') }
})
const row: ClaimedRow = {
  offer: 1,
  subscription_id: '01900000-0000-7000-8000-000000000005',
  delivery_id: '01900000-0000-7000-8000-0000000000d1',
  tenant_id: 'acme',
  event_id: '01900000-0000-7000-8000-0000000000e1',
  attempt_id: '01900000-0000-7000-8000-0000000000a1',
  attempt_number: 3,
  schedule_step: 1,
  trigger: 'automatic',
  actor: null,
  reason: null,
  resume_at: null,
  replay_id: null,
  due_at: new Date('2026-11-23T10:00:00.000Z'),
  waited_ms: 12.5,
  subscription: {
    url: 'https://receiver.test/hooks',
    headers: { authorization: 'Bearer x', 'content-type': 'text/plain', 'posthorn-attempt': '99', 'webhook-id': 'no' },
    timeout_ms: 15_000,
    retry_schedule_seconds: [10, 20],
    keys,
    payload_format: 'standard',
    final_statuses: [],
    auth_sealed: null,
    transform: null,
    tls_sealed: null,
    max_in_flight: 10,
    rate_limit_per_second: null,
    ordered: false,
    ailing: null,
    breaker_failed_probes: null,
  },
  type: 'invoice.paid',
  timestamp: new Date(0),
  data: '{"a":1}',
  keys_of_event: null,
  traceparent: null,
  headers_of_event: null,
  schema_version: null,
}
const claim = claimOf(row)
const nowMs = 1_700_000_000_999
const sent: AttemptRequest = { url: claim.url, headers: {}, body: '', timeoutMs: 1, secretHeaders: [], grant: null }
const made = { startedAt: new Date(0), random: 0 }
const seal = createSeal([randomBytes(32)], { randomBytes: (count) => randomBytes(count) })
const means = { seal, origin: { source: 'https://posthorn.test', publicUrl: undefined } }

test('a request is signed with every key of its subscription, for the second in which it is made', () => {
  const { headers, body } = prepareAttempt(claim, createKeyRing(testSeal), nowMs)
  expect(headers['webhook-timestamp']).toBe('1700000000')
  for (const secret of secrets) {
    const known = [parseSecret(secret.toString('base64'))]
    verify({ headers, body: Buffer.from(body), keys: known, now: new Date(nowMs) })
  }
})

test('a subscription’s own headers are sent, but none of them replaces one of ours', () => {
  const { headers } = prepareAttempt(claim, createKeyRing(testSeal), nowMs)
  expect(headers).toMatchObject({
    authorization: 'Bearer x',
    'content-type': 'application/json',
    'posthorn-attempt': '3',
    'posthorn-event-type': 'invoice.paid',
    'webhook-id': expect.stringMatching(/^evt_/),
    'user-agent': expect.stringMatching(/^Posthorn\//),
  })
})

test('headers of the event are sent, but none of them replaces one of the subscription, of its credentials or of ours', () => {
  const { authSealed } = sealedAuth({ type: 'api_key', header: 'X-Key', value: 'k 1' }, claim.subscriptionId, seal)
  const taken = { 'x-key': 'forged', 'x-team': 'forged', 'content-type': 'forged', 'posthorn-attempt': 'forged' }
  const event = { ...claim.event, headers: { ...taken, 'x-own': 'sent', traceparent: 'forged' }, traceparent: 'real' }
  const given = { ...claim, headers: { 'x-team': 'theirs' }, authSealed, event }
  const request = prepareAttempt(given, createKeyRing(testSeal), nowMs, means)
  expect(request.headers).toMatchObject({ 'x-key': 'k 1', 'x-team': 'theirs', 'x-own': 'sent', traceparent: 'real' })
  expect(JSON.stringify(request.headers)).not.toContain('forged')
  const { requestHeaders } = judgeAttempt(given, request, outcomeOf({ status: 200 }), made)
  expect(requestHeaders).toMatchObject({ 'x-own': 'sent', 'x-key': '[redacted]' })
})

test.each(payloadFormats)('a request in the format %s is signed over the body that is really sent', (payloadFormat) => {
  const { headers, body } = prepareAttempt({ ...claim, payloadFormat }, createKeyRing(testSeal), nowMs, means)
  verify({
    headers,
    body: Buffer.from(body),
    keys: [parseSecret((secrets[0] ?? Buffer.alloc(0)).toString('base64'))],
    now: new Date(nowMs),
  })
  expect(() =>
    verify({
      headers,
      body: Buffer.from(`${body} `),
      keys: [parseSecret((secrets[0] ?? Buffer.alloc(0)).toString('base64'))],
      now: new Date(nowMs),
    }),
  ).toThrow()
})

test.each<[GivenAuth, Record<string, string>]>([
  [
    { type: 'basic', username: 'Aladdin', password: 'open sesame' },
    { authorization: 'Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==' },
  ],
  [{ type: 'basic', username: 'test', password: '123£' }, { authorization: 'Basic dGVzdDoxMjPCow==' }],
  [{ type: 'bearer', token: 'mF_9.B5f-4.1JqM' }, { authorization: 'Bearer mF_9.B5f-4.1JqM' }],
  [{ type: 'api_key', header: 'X-Api-Key', value: 'k 1' }, { 'x-api-key': 'k 1' }],
  [{ type: 'api_key', header: 'Authorization', value: 'ApiKey k' }, { authorization: 'ApiKey k' }],
])('credentials %j are sent, and are written down nowhere', (auth, sentHeaders) => {
  const { authSealed } = sealedAuth(auth, claim.subscriptionId, seal)
  const request = prepareAttempt({ ...claim, authSealed }, createKeyRing(testSeal), nowMs, means)
  expect(request.headers).toMatchObject(sentHeaders)
  const { requestHeaders } = judgeAttempt(claim, request, outcomeOf({ status: 200 }), made)
  for (const [name, value] of Object.entries(sentHeaders)) {
    expect(requestHeaders[name]).toBe('[redacted]')
    expect(JSON.stringify(requestHeaders)).not.toContain(value)
  }
  expect(Object.keys(requestHeaders)).toEqual(Object.keys(request.headers))
})

test('nothing is prepared when the credentials cannot be opened: it is not sent without them', () => {
  const { authSealed } = sealedAuth({ type: 'bearer', token: 'canary' }, claim.subscriptionId, seal)
  const other = createSeal([randomBytes(32)], { randomBytes: (count) => randomBytes(count) })
  for (const own of [undefined, other]) {
    expect(() =>
      prepareAttempt({ ...claim, authSealed }, createKeyRing(testSeal), nowMs, { ...means, seal: own }),
    ).toThrow(SealError)
  }
  const elsewhere = { ...claim, authSealed, subscriptionId: '01900000-0000-7000-8000-000000000006' }
  expect(() => prepareAttempt(elsewhere, createKeyRing(testSeal), nowMs, means)).toThrow(SealError)
})

test('nothing is prepared for a subscription without a key', () => {
  expect(() => prepareAttempt({ ...claim, keys: [] }, createKeyRing(testSeal), nowMs)).toThrow()
})

test('nothing is prepared for a subscription of whose keys one cannot be opened, even if another one can', () => {
  const [good, other] = claim.keys
  if (good === undefined || other === undefined) throw new Error('there are two')
  const keyOf = createKeyRing(testSeal)
  const moved = { ...other, id: good.id }
  expect(() => prepareAttempt({ ...claim, keys: [good, moved] }, keyOf, nowMs)).toThrow('belongs elsewhere')
})

test('two attempts of one delivery have the same id and body, and differ in time, number and signature', () => {
  const keyOf = createKeyRing(testSeal)
  const one = prepareAttempt(claim, keyOf, nowMs)
  const two = prepareAttempt({ ...claim, number: 4 }, keyOf, nowMs + 5_000)
  expect(two.body).toBe(one.body)
  expect(two.headers['webhook-id']).toBe(one.headers['webhook-id'])
  for (const name of ['webhook-timestamp', 'webhook-signature', 'posthorn-attempt'])
    expect(two.headers[name]).not.toBe(one.headers[name])
})

test('a subscription without a schedule of its own has the default one', () => {
  expect(
    claimOf({ ...row, subscription: { ...row.subscription, retry_schedule_seconds: [] } }).retryScheduleSeconds,
  ).toHaveLength(9)
  expect(claim.retryScheduleSeconds).toEqual([10, 20])
})

test('an attempt is judged by its answer: delivered, retried by the schedule, or failed for good', () => {
  expect(judged({ status: 204 }).next).toEqual({ kind: 'delivered' })
  expect(judged({ status: 500 }).next).toEqual({ kind: 'retry', delayMs: 20_000, scheduleStep: 2 })
  expect(judged({ status: 500 }, { scheduleStep: 2 }).next).toEqual({ kind: 'failed' })
  expect(judged({ status: 410 })).toMatchObject({ next: { kind: 'failed' }, gone: true })
  expect(judged({ status: 404 }).gone).toBe(false)
  expect(judged({ status: 404 }, { finalStatuses: [404] })).toMatchObject({ next: { kind: 'failed' }, gone: false })
})

test('an answer that asks for patience slows the subscription down and puts the delivery off', () => {
  expect(judged({ status: 503, retryAfterMs: 60_000 })).toMatchObject({
    slowDownMs: 60_000,
    next: { kind: 'retry', delayMs: 60_000, scheduleStep: 2 },
  })
  expect(judged({ status: 500, retryAfterMs: 60_000 }).slowDownMs).toBe(0)
})

test('an attempt that we broke off ourselves is made again at once, in the same place of the schedule', () => {
  for (const trigger of ['automatic', 'resend'] as const)
    expect(judged({ failureCode: 'aborted' }, { trigger, scheduleStep: 2 }).next).toEqual({
      kind: 'retry',
      delayMs: 0,
      scheduleStep: 2,
    })
})

test('an attempt that could not be signed is made again after a pause, in the same place of the schedule', () => {
  for (const trigger of ['automatic', 'resend'] as const) {
    const record = judged({ failureCode: 'internal_error', unsignable: true }, { trigger, scheduleStep: 2 })
    expect(record).toMatchObject({
      next: { kind: 'retry', delayMs: 300_000, scheduleStep: 2 },
      slowDownMs: 300_000,
      failureCode: 'internal_error',
    })
  }
})

test('an attempt that the egress proxy failed to carry is made again after a pause, in the same place of the schedule', () => {
  for (const trigger of ['automatic', 'resend'] as const) {
    const pauseMs = (random: number) => {
      const outcome = outcomeOf({ failureCode: 'egress_proxy_failed' })
      const record = judgeAttempt({ ...claim, trigger, scheduleStep: 2 }, sent, outcome, { ...made, random })
      expect(record.next).toEqual({ kind: 'retry', delayMs: record.slowDownMs, scheduleStep: 2 })
      return record.slowDownMs
    }
    expect([pauseMs(0), pauseMs(0.5)]).toEqual([60_000, 66_000])
  }
})

test('the token of a grant is fetched by others: the request is prepared without it, and says what to fetch it with', () => {
  const auth: GivenAuth = {
    type: 'oauth2_client_credentials',
    token_url: 'https://login.test/token',
    client_id: 'posthorn',
    client_secret: 'very secret',
    scope: 'a b',
  }
  const { authSealed } = sealedAuth(auth, claim.subscriptionId, seal)
  const request = prepareAttempt({ ...claim, headers: {}, authSealed }, createKeyRing(testSeal), nowMs, means)
  expect(request.headers['authorization']).toBeUndefined()
  expect(request.grant).toEqual({
    subscriptionId: claim.subscriptionId,
    sealed: authSealed,
    tokenUrl: 'https://login.test/token',
    clientId: 'posthorn',
    clientSecret: 'very secret',
    scope: 'a b',
    audience: null,
    clientAuthentication: 'client_secret_basic',
  })
  expect(JSON.stringify(judgeAttempt(claim, request, outcomeOf({ status: 200 }), made))).not.toContain('very secret')
})

test('every failure without an answer is retried, and none of them is final', () => {
  for (const failureCode of failureCodes) expect(judged({ failureCode }).next).toMatchObject({ kind: 'retry' })
})

test('a failed resend leaves the schedule alone, and one behind which nothing waits is the last attempt', () => {
  expect(judged({ status: 500 }, { trigger: 'resend', scheduleWaits: true }).next).toEqual({ kind: 'resume' })
  expect(judged({ status: 500 }, { trigger: 'replay' }).next).toEqual({ kind: 'failed' })
})

test('what is recorded of an attempt is what was sent and what came back', () => {
  const request = prepareAttempt(claim, createKeyRing(testSeal), nowMs)
  const record = judgeAttempt(claim, request, outcomeOf({ status: 200 }), made)
  expect(record).toMatchObject({
    id: claim.attemptId,
    deliveryId: claim.deliveryId,
    number: 3,
    url: claim.url,
    requestHeaders: { ...request.headers, authorization: '[redacted]' },
    status: 200,
    waitMs: 12.5,
    totalMs: 9,
    firstByteMs: 4,
  })
})

function judged(outcome: Partial<AttemptOutcome>, over: Partial<Claim> = {}) {
  return judgeAttempt({ ...claim, ...over }, sent, outcomeOf(outcome), made)
}

function outcomeOf(outcome: Partial<AttemptOutcome>): AttemptOutcome {
  const status = outcome.status ?? null
  const isSuccess = status !== null && status >= 200 && status < 300
  return {
    status,
    failureCode: isSuccess ? null : 'http_5xx',
    failureDetail: null,
    remoteAddress: null,
    responseHeaders: {},
    responseBody: new Uint8Array(),
    responseTruncated: false,
    retryAfterMs: null,
    timings: { dns: 1, connect: 2, tls: 3, firstByte: 4, total: 9 },
    ...outcome,
  }
}
