/** Bodies about subscriptions, from the words of the wire to those of the engine. */
import type { CreateSubscription, PatchSubscription } from '@posthorn/contract'
import type { SubscriptionDraft, SubscriptionPatch } from '@posthorn/engine'

export function subscriptionDraft(body: CreateSubscription): SubscriptionDraft {
  const {
    event_types: eventTypes,
    timeout_ms,
    max_in_flight,
    retry_schedule_seconds,
    rate_limit_per_second,
    ...same
  } = body
  return {
    ...same,
    eventTypes,
    ...(timeout_ms === undefined ? {} : { timeoutMs: timeout_ms }),
    ...(max_in_flight === undefined ? {} : { maxInFlight: max_in_flight }),
    ...(retry_schedule_seconds === undefined ? {} : { retryScheduleSeconds: retry_schedule_seconds }),
    ...(rate_limit_per_second === undefined ? {} : { rateLimitPerSecond: rate_limit_per_second }),
  }
}

export function subscriptionPatch(body: PatchSubscription): SubscriptionPatch {
  const { event_types, timeout_ms, max_in_flight, retry_schedule_seconds, rate_limit_per_second, ...same } = body
  return {
    ...same,
    ...(event_types === undefined ? {} : { eventTypes: event_types }),
    ...(timeout_ms === undefined ? {} : { timeoutMs: timeout_ms }),
    ...(max_in_flight === undefined ? {} : { maxInFlight: max_in_flight }),
    ...(retry_schedule_seconds === undefined ? {} : { retryScheduleSeconds: retry_schedule_seconds }),
    ...(rate_limit_per_second === undefined ? {} : { rateLimitPerSecond: rate_limit_per_second }),
  }
}
