import type { FailureCode } from '@posthorn/contract'
import { expect, test } from 'vitest'
import type { CheckedRequest } from './receiver-checks.ts'
import { judgeReceiver } from './scorecard.ts'

type Outcome = Extract<CheckedRequest, { outcome: unknown }>['outcome']

function outcome(status: number | null, failureCode: FailureCode | null, totalMs = 10): Outcome {
  return {
    eventId: '01900000-0000-7000-8000-000000000001', eventType: 'posthorn.test', startedAt: '2026-11-26T00:00:00.000Z',
    url: 'https://receiver.test/', requestHeaders: {}, requestBody: '{}', requestBytes: 2, remoteAddress: null, status,
    failureCode, failureDetail: failureCode && 'It failed.', responseHeaders: {}, responseBody: '',
    responseTruncated: false, waitMs: 0, dnsMs: null, connectMs: null, tlsMs: null, firstByteMs: null, totalMs,
  } // biome-ignore format: as long as it must be
}

function judged(requests: CheckedRequest[], lateAfterMs = 2_000) {
  const common = { eventType: 'posthorn.test', startedAt: '2026-11-26T00:00:00.000Z', tookMs: 1, lateAfterMs }
  return judgeReceiver({ ...common, requests })
}

test.each<[CheckedRequest['check'], number | null, FailureCode | null, string]>([
  ['good_event', 204, null, 'passed'],
  ['good_event', 302, 'http_3xx', 'failed'],
  ['good_event', null, 'tls_expired', 'failed'],
  ['good_event', null, 'auth_failed', 'failed'],
  ['wrong_signature', 200, null, 'failed'],
  ['wrong_signature', 401, 'http_4xx', 'passed'],
  ['wrong_signature', 410, 'http_410', 'passed'],
  ['wrong_signature', 429, 'http_429', 'warning'],
  ['wrong_signature', 500, 'http_5xx', 'warning'],
  ['wrong_signature', 302, 'http_3xx', 'warning'],
  ['wrong_signature', null, 'connection_reset', 'warning'],
  ['wrong_signature', null, 'internal_error', 'not_run'],
  ['stale_timestamp', 200, null, 'failed'],
  ['stale_timestamp', null, 'egress_proxy_failed', 'not_run'],
  ['duplicate', 409, 'http_4xx', 'failed'],
  ['duplicate', null, 'aborted', 'not_run'],
  ['unknown_event_type', 404, 'http_4xx', 'warning'],
  ['unknown_member', null, 'connection_reset', 'warning'],
  ['large_event', 413, 'http_4xx', 'warning'],
  ['large_event', 400, 'http_4xx', 'failed'],
  ['large_event', null, 'connection_reset', 'failed'],
])('%s, answered with %s (%s), is %s', (check, status, failureCode, verdict) => {
  const [first] = judged([{ check, outcome: outcome(status, failureCode) } as CheckedRequest]).checks
  expect(first?.verdict).toBe(verdict)
  // What is not right has something to be done about it, but for what is our own affair.
  expect(first?.fix === null).toBe(verdict === 'passed' || verdict === 'not_run')
})

test.each([
  [[10, 20], 'passed'],
  [[10, 2_000], 'warning'],
  [[], 'not_run'],
])('answers that took %j ms: the time is %s', (times, verdict) => {
  const requests = times.map((totalMs) => ({ check: 'duplicate' as const, outcome: outcome(204, null, totalMs) }))
  expect(judged(requests).checks.at(-1)).toMatchObject({ check: 'answer_time', verdict })
})

test('what is answered too late for its time-out fails by the time, when there was an answer at all', () => {
  const late = { check: 'duplicate' as const, outcome: outcome(null, 'response_timeout', 15_000) }
  const good = { check: 'good_event' as const, outcome: outcome(204, null) }
  expect(judged([good, late]).checks.at(-1)?.verdict).toBe('failed')
  expect(judged([late]).checks.at(-1)?.verdict).toBe('not_run')
})

test('the whole is as bad as its worst check, and what does not apply counts for nothing', () => {
  const good: CheckedRequest = { check: 'good_event', outcome: outcome(204, null) }
  const warned: CheckedRequest = { check: 'large_event', outcome: outcome(413, 'http_4xx') }
  const failed: CheckedRequest = { check: 'duplicate', outcome: outcome(500, 'http_5xx') }
  const notRun: CheckedRequest = { check: 'duplicate', notRun: 'There was no time.' }
  const none: CheckedRequest = { check: 'unknown_member', notApplicable: 'No.' }
  expect(judged([good, none]).verdict).toBe('passed')
  expect(judged([good, warned]).verdict).toBe('warning')
  expect(judged([good, warned, notRun]).verdict).toBe('not_run')
  expect(judged([good, warned, notRun, failed, none])).toMatchObject({
    verdict: 'failed',
    total: { passed: 2, warning: 1, failed: 1, not_run: 1, not_applicable: 1 },
  })
})
