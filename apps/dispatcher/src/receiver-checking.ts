/**
 * Makes the requests of a check of a receiver, one after the other, by the same code as every attempt. Its rate is kept,
 * and all of it has a time. When the good event is not accepted the others would say nothing, so they are not made.
 */
import { limits } from '@posthorn/contract'
import {
  type CheckedRequest,
  checkedRequest,
  type Deviation,
  judgeAttempt,
  type PlannedRequest,
  type ReceiverCheckOutcome,
  receiverRequests,
  type TakenTest,
} from '@posthorn/engine'
import { type AttemptingParts, makeAttempt } from './delivering.ts'

/** A request is not begun when there is less time for it than this, in milliseconds. */
const requestMsMin = 1_000

const timeIsOver = `There was no time left for it: all requests together have ${limits.receiverCheckMsMax / 1000} s.`
const dispatcherEnds = 'The dispatcher was stopped before it was made.'
const goodEventFailed = 'It was not made: a receiver that does not accept the good event shows nothing by the others.'

export type CheckingParts = AttemptingParts & {
  /** An attempt without an answer for so long is late, in milliseconds. */
  lateAfterMs: number
}

/** @param draining aborted when no further request is to be begun */
export async function checkReceiver(
  parts: CheckingParts,
  { claim, rateLimitPerSecond }: TakenTest,
  { draining, breakOff }: { draining: AbortSignal; breakOff: AbortSignal },
): Promise<ReceiverCheckOutcome> {
  const startedMs = parts.monotonicMs()
  const startedAt = new Date(parts.world.now()).toISOString()
  const elapsedMs = () => parts.monotonicMs() - startedMs
  const everyMs = rateLimitPerSecond === null ? 0 : 1000 / rateLimitPerSecond
  let begunMs = Number.NEGATIVE_INFINITY
  let notRun: string | undefined
  const requests: CheckedRequest[] = []

  for (const planned of receiverRequests(claim, parts.world)) {
    const { check } = planned
    if ('notApplicable' in planned) {
      requests.push({ check, notApplicable: planned.notApplicable })
      continue
    }
    await pause(begunMs + everyMs - elapsedMs(), draining)
    if (draining.aborted) notRun ??= dispatcherEnds
    const leftMs = limits.receiverCheckMsMax - elapsedMs()
    if (leftMs < requestMsMin) notRun ??= timeIsOver
    if (notRun !== undefined) {
      requests.push({ check, notRun })
      continue
    }
    begunMs = elapsedMs()
    const timeoutMs = Math.min(planned.claim.timeoutMs, Math.floor(leftMs))
    const made = await makeRequest(parts, { ...planned, claim: { ...planned.claim, timeoutMs } }, breakOff)
    // Had it had all of its time, it might have been answered.
    const isCutShort = timeoutMs < claim.timeoutMs && made.outcome.failureCode === 'response_timeout'
    requests.push(isCutShort ? { check, notRun: timeIsOver } : made)
    if (check === 'good_event' && made.outcome.failureCode !== null) notRun = goodEventFailed
  }
  const { type: eventType } = claim.event
  return { eventType, startedAt, tookMs: elapsedMs(), lateAfterMs: parts.lateAfterMs, requests }
}

type Making = Extract<PlannedRequest, { deviation: Deviation }>

async function makeRequest(parts: CheckingParts, { check, claim, deviation }: Making, breakOff: AbortSignal) {
  const startedAtMs = parts.world.now()
  const { request, outcome } = await makeAttempt(parts, claim, startedAtMs, breakOff, deviation)
  const record = judgeAttempt(claim, request, outcome, { startedAt: new Date(startedAtMs), random: 0 })
  return checkedRequest(check, claim, record, request)
}

/** Ends at once when the signal is aborted. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (!(ms > 0) || signal.aborted) return
  await new Promise<void>((resolve) => {
    const timer = setTimeout(end, ms)
    function end(): void {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    signal.addEventListener('abort', end)
  })
}
