/**
 * Judges what came of a check of a receiver: what each answer is worth, and what to do about it. Pure: the same outcome is
 * judged alike wherever it came from.
 *
 * An answer that nobody gave proves nothing: where a request must be refused, only an answer that refuses it passes. What
 * failed by a fault of ours counts for nobody.
 */
import { type CheckVerdict, checkVerdicts, type ReceiverCheck } from '@posthorn/contract'
import { isOurFault } from './failing.ts'
import type { CheckedRequest, ReceiverCheckOutcome } from './receiver-checks.ts'
import type { TestOutcome } from './subscription-tests.ts'

export type JudgedCheck = {
  check: ReceiverCheck
  verdict: CheckVerdict
  expected: string
  detail: string
  fix: string | null
  outcome: (TestOutcome & { requestBytes: number }) | null
}

export type JudgedReceiver = {
  verdict: CheckVerdict
  total: Record<CheckVerdict, number>
  checks: JudgedCheck[]
}

type Judgement = Pick<JudgedCheck, 'verdict' | 'detail' | 'fix'>

/** The worst first. What does not apply counts for nothing. */
const worstFirst: readonly CheckVerdict[] = ['failed', 'not_run', 'warning']

export function judgeReceiver(outcome: ReceiverCheckOutcome): JudgedReceiver {
  const checks = [...outcome.requests.map(judgeRequest), judgeTime(outcome)]
  const count = (verdict: CheckVerdict) => checks.filter((one) => one.verdict === verdict).length
  return {
    verdict: worstFirst.find((verdict) => count(verdict) > 0) ?? 'passed',
    // One for each of the list.
    total: Object.fromEntries(checkVerdicts.map((verdict) => [verdict, count(verdict)])) as Record<
      CheckVerdict,
      number
    >,
    checks,
  }
}

function judgeRequest(request: CheckedRequest): JudgedCheck {
  const { check } = request
  const expected = expectations[check]
  if ('notApplicable' in request) {
    return { check, expected, verdict: 'not_applicable', detail: request.notApplicable, fix: null, outcome: null }
  }
  if ('notRun' in request) {
    return { check, expected, verdict: 'not_run', detail: request.notRun, fix: null, outcome: null }
  }
  const { outcome } = request
  if (outcome.failureCode !== null && isOurFault(outcome.failureCode)) {
    const detail = outcome.failureDetail ?? 'It could not be sent, which is no fault of the receiver.'
    return { check, expected, verdict: 'not_run', detail, fix: null, outcome }
  }
  return { check, expected, ...judges[check](outcome), outcome }
}

/** What a receiver that is written well does. */
const expectations: Readonly<Record<ReceiverCheck, string>> = {
  good_event: 'An event with a good signature is answered with 2xx.',
  wrong_signature: 'An event that another key has signed is refused with 401 or 400.',
  stale_timestamp: 'An event that was signed ten minutes ago is refused with 401 or 400.',
  duplicate: 'An event that came before is answered with 2xx, and not processed again.',
  unknown_event_type: 'An event of a type that the receiver does not know is answered with 2xx.',
  unknown_member: 'Members that the receiver does not know are ignored, and the event is answered with 2xx.',
  large_event: 'An event as large as events may be is answered with 2xx.',
  old_secret_in_rotation: 'An event is accepted when the second signature of its header fits.',
  new_secret_in_rotation: 'An event is accepted when the first signature of its header fits, and the second does not.',
  answer_time: 'Every request is answered at once.',
}

const judges: Readonly<Record<Exclude<ReceiverCheck, 'answer_time'>, (outcome: TestOutcome) => Judgement>> = {
  good_event: (outcome) => mustAccept(outcome, goodEventFix(outcome)),
  wrong_signature: (outcome) =>
    mustRefuse(
      outcome,
      'Verify the signature of every request before you read the body, and answer 401 when it does not fit: now anybody can send you events.',
    ),
  stale_timestamp: (outcome) =>
    mustRefuse(
      outcome,
      'Refuse a webhook-timestamp that is more than five minutes away from your clock: now whoever has seen a request can repeat it for ever.',
    ),
  duplicate: (outcome) =>
    mustAccept(
      outcome,
      'Remember the webhook-id of what you have processed, and answer 2xx when it comes again: every event may come more than once.',
    ),
  unknown_event_type: (outcome) =>
    shouldAccept(
      outcome,
      'Answer 2xx to types that you do not handle: a new type would be sent again and again, and count as your failure.',
    ),
  unknown_member: (outcome) =>
    shouldAccept(outcome, 'Ignore members that you do not know: they may be added at any time without notice.'),
  large_event: judgeLarge,
  old_secret_in_rotation: (outcome) =>
    mustAccept(
      outcome,
      'Try every signature in webhook-signature, which are separated by a space, and accept when one fits: after a rotation yours is not the first.',
    ),
  new_secret_in_rotation: (outcome) =>
    mustAccept(
      outcome,
      'Try every signature in webhook-signature, which are separated by a space, and accept when one fits: during a rotation yours is not the last.',
    ),
}

function mustAccept(outcome: TestOutcome, fix: string): Judgement {
  if (outcome.failureCode === null) return { verdict: 'passed', detail: answered(outcome), fix: null }
  return { verdict: 'failed', detail: answered(outcome), fix: outcome.status === 429 ? rateFix : fix }
}

function shouldAccept(outcome: TestOutcome, fix: string): Judgement {
  const judgement = mustAccept(outcome, fix)
  return judgement.verdict === 'failed' ? { ...judgement, verdict: 'warning' } : judgement
}

function mustRefuse(outcome: TestOutcome, fix: string): Judgement {
  const { status, failureCode } = outcome
  const detail = answered(outcome)
  if (failureCode === null) return { verdict: 'failed', detail, fix }
  if (status === null) {
    return { verdict: 'warning', detail, fix: 'Answer 401, so that the sender need not guess what happened.' }
  }
  if (status === 429) return { verdict: 'warning', detail, fix: rateFix }
  if (status >= 400 && status < 500) return { verdict: 'passed', detail, fix: null }
  return {
    verdict: 'warning',
    detail,
    fix: 'Answer 401 or 400: this answer looks as if the receiver were broken, and not as if it had refused.',
  }
}

function judgeLarge(outcome: TestOutcome): Judgement {
  const fix = 'Allow bodies of 256 KiB and their envelope, in your framework and in every proxy before it.'
  const judgement = mustAccept(outcome, fix)
  return outcome.status === 413 ? { ...judgement, verdict: 'warning' } : judgement
}

function goodEventFix({ status, eventType }: TestOutcome): string {
  if (status === null) return 'Make the receiver answer at this URL: the failure code says what came in the way.'
  if (status >= 300 && status < 400) return 'Register the URL that answers itself: redirects are not followed.'
  if (status >= 500) return 'Look into the log of the receiver: it failed while it handled the event.'
  const known = eventType.startsWith('posthorn.') ? ' If it takes known types only, name one by event_type.' : ''
  return `Verify the raw body with the secret of this subscription; a signature check says what is wrong with it.${known}`
}

const rateFix = 'Do not limit the rate of this URL so tightly, or give the subscription a rate limit, and check again.'

function judgeTime({ requests, lateAfterMs }: ReceiverCheckOutcome): JudgedCheck {
  const made = requests.flatMap((request) => ('outcome' in request ? [request.outcome] : []))
  const times = made.filter(({ status }) => status !== null).map(({ totalMs }) => totalMs)
  const common = { check: 'answer_time', expected: expectations.answer_time, outcome: null } as const
  if (times.length === 0) {
    return { ...common, verdict: 'not_run', detail: 'No request was answered.', fix: null }
  }
  const slowest = Math.max(...times)
  const sorted = times.toSorted((a, b) => a - b)
  const median = sorted[Math.floor(sorted.length / 2)] ?? slowest
  const detail = `${times.length} answers took ${inMs(median)} in the middle, and ${inMs(slowest)} at the most.`
  const fix = 'Answer as soon as the event is stored, and work on it afterwards.'
  if (made.some(({ failureCode }) => failureCode === 'response_timeout')) {
    return { ...common, verdict: 'failed', detail: `${detail} Some requests were not answered in time.`, fix }
  }
  if (slowest < lateAfterMs) return { ...common, verdict: 'passed', detail, fix: null }
  return {
    ...common,
    verdict: 'warning',
    detail: `${detail} An answer that takes ${inMs(lateAfterMs)} is late.`,
    fix: `${fix} Receivers that are late again and again are sent their events more slowly.`,
  }
}

function answered({ status, failureCode, failureDetail }: TestOutcome): string {
  if (status !== null) return `It was answered with ${status}.`
  return `It was not answered (${failureCode}). ${failureDetail ?? ''}`.trimEnd()
}

function inMs(ms: number): string {
  return `${Math.round(ms)} ms`
}
