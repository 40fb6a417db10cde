/**
 * When the next attempt of a delivery is made: pure functions over the answer, the schedule and a random number.
 * The table of answers is in `docs/architecture.md`; it follows Standard Webhooks 1.0, "Deliverability and reliability".
 */
import { Problem } from '@posthorn/contract'

/**
 * Seconds to wait before the second, third … attempt: 10 attempts over about 3 days (Standard Webhooks 1.0, example
 * schedule). The first attempt is made at once.
 */
export const defaultRetryScheduleSeconds: readonly number[] = [
  5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400,
]

/** Jitter only ever adds, up to this part of the delay, so that a schedule is also a promise of patience. */
const jitterPartMax = 0.2

/** How long a receiver may put us off with `Retry-After`, in milliseconds: 24 hours. */
export const retryAfterMsMax = 24 * 3600 * 1000

/** A receiver that asks us to slow down without saying for how long gets this pause for all its deliveries, in milliseconds. */
const slowDownMsDefault = 1000

/** Answers that speak of the receiver as a whole and not of this one request. */
const slowDownStatuses: ReadonlySet<number> = new Set([429, 502, 503, 504])

/**
 * Answers that no subscription may declare final, and why. The first is final by itself; the others ask for patience, just
 * when a receiver is overloaded or being replaced, and making them final would throw events away then.
 */
const neverDeclaredFinal: ReadonlyMap<number, string> = new Map([
  [410, 'is final by itself, and disables the subscription'],
  ...[...slowDownStatuses].map((status) => [status, 'asks for patience, so it is always retried'] as const),
])

/** What an attempt came to, as far as the schedule cares. */
export type AttemptResult = {
  /** The HTTP status, or null when no answer came. */
  status: number | null
  /** What `Retry-After` asked for, in milliseconds, already read and within `retryAfterMsMax`. */
  retryAfterMs: number | null
  delivered: boolean
}

/** What to do next with a delivery. Delays are milliseconds from the recording. */
export type NextStep =
  | { kind: 'delivered' }
  | { kind: 'retry'; delayMs: number; scheduleStep: number }
  /** A resend failed in front of an unfinished schedule, which goes on as if nothing had happened. */
  | { kind: 'resume' }
  | { kind: 'failed' }

export type DeliveryPlan = {
  /** Attempts of the schedule that had failed before this one. */
  scheduleStep: number
  retryScheduleSeconds: readonly number[]
  /** Statuses beside 410 that end the delivery at once. */
  finalStatuses: readonly number[]
  /** A person asked for this attempt: it is one attempt more and takes no place in the schedule. */
  extra: boolean
  /** The schedule waits behind this attempt. */
  scheduleWaits: boolean
}

/**
 * Decides what follows an attempt.
 *
 * 2xx is delivered. 410 is final, and so is what the subscription says is final. Anything else is retried by the schedule, no earlier than the receiver asked for
 * (`max(backoff, retry-after)`), until the schedule is exhausted.
 *
 * @param random a number from 0 (inclusive) to 1 (exclusive)
 */
export function nextStep(result: AttemptResult, plan: DeliveryPlan, random: number): NextStep {
  if (result.delivered) return { kind: 'delivered' }
  if (result.status !== null && isFinal(result.status, plan)) return { kind: 'failed' }
  if (plan.extra) return plan.scheduleWaits ? { kind: 'resume' } : { kind: 'failed' }
  const delaySeconds = plan.retryScheduleSeconds[plan.scheduleStep]
  if (delaySeconds === undefined) return { kind: 'failed' }
  const backoffMs = delaySeconds * 1000 * (1 + jitterPartMax * random)
  return {
    kind: 'retry',
    delayMs: Math.ceil(Math.max(backoffMs, result.retryAfterMs ?? 0)),
    scheduleStep: plan.scheduleStep + 1,
  }
}

function isFinal(status: number, plan: DeliveryPlan): boolean {
  return status === 410 || plan.finalStatuses.includes(status)
}

/**
 * Reads the statuses that a subscription declares final, each within the bounds of the contract.
 *
 * @throws Problem `invalid_request` naming each that has a meaning of its own
 */
export function finalStatuses(given: readonly number[]): number[] {
  const errors = given.flatMap((status, index) => {
    const detail = neverDeclaredFinal.get(status)
    return detail === undefined ? [] : [{ pointer: `/final_statuses/${index}`, detail: `${status} ${detail}` }]
  })
  const [first] = errors
  if (first !== undefined) throw new Problem('invalid_request', `final_statuses: ${first.detail}.`, { errors })
  return given.toSorted((a, b) => a - b)
}

/**
 * For how many milliseconds nothing more is sent to the subscription, because its receiver asked for it; 0 for not at all.
 */
export function slowDownMs(result: AttemptResult): number {
  if (result.status === null || !slowDownStatuses.has(result.status)) return 0
  return result.retryAfterMs ?? slowDownMsDefault
}
