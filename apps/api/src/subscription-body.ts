/** Bodies about subscriptions, from the words of the wire to those of the engine. */
import type { CreateSubscription, PatchSubscription } from '@posthorn/contract'
import { memberText, type SubscriptionDraft, type SubscriptionPatch } from '@posthorn/engine'

/** @param bodyText the body as it came */
export function subscriptionDraft(body: CreateSubscription, bodyText: string): SubscriptionDraft {
  const {
    event_types: eventTypes,
    filter,
    timeout_ms,
    max_in_flight,
    retry_schedule_seconds,
    rate_limit_per_second,
    payload_format,
    final_statuses,
    signature_schemes,
    forward_traceparent,
    ...same
  } = body
  return {
    ...same,
    eventTypes,
    ...(filter === undefined ? {} : { filter: filterText(filter, bodyText) }),
    ...(timeout_ms === undefined ? {} : { timeoutMs: timeout_ms }),
    ...(max_in_flight === undefined ? {} : { maxInFlight: max_in_flight }),
    ...(retry_schedule_seconds === undefined ? {} : { retryScheduleSeconds: retry_schedule_seconds }),
    ...(rate_limit_per_second === undefined ? {} : { rateLimitPerSecond: rate_limit_per_second }),
    ...(payload_format === undefined ? {} : { payloadFormat: payload_format }),
    ...(final_statuses === undefined ? {} : { finalStatuses: final_statuses }),
    ...(signature_schemes === undefined ? {} : { signatureSchemes: signature_schemes }),
    ...(forward_traceparent === undefined ? {} : { forwardTraceparent: forward_traceparent }),
  }
}

/** @param bodyText the body as it came */
export function subscriptionPatch(body: PatchSubscription, bodyText: string): SubscriptionPatch {
  const {
    event_types,
    filter,
    timeout_ms,
    max_in_flight,
    retry_schedule_seconds,
    rate_limit_per_second,
    payload_format,
    final_statuses,
    signature_schemes,
    forward_traceparent,
    ...same
  } = body
  return {
    ...same,
    ...(event_types === undefined ? {} : { eventTypes: event_types }),
    ...(filter === undefined ? {} : { filter: filterText(filter, bodyText) }),
    ...(timeout_ms === undefined ? {} : { timeoutMs: timeout_ms }),
    ...(max_in_flight === undefined ? {} : { maxInFlight: max_in_flight }),
    ...(retry_schedule_seconds === undefined ? {} : { retryScheduleSeconds: retry_schedule_seconds }),
    ...(rate_limit_per_second === undefined ? {} : { rateLimitPerSecond: rate_limit_per_second }),
    ...(payload_format === undefined ? {} : { payloadFormat: payload_format }),
    ...(final_statuses === undefined ? {} : { finalStatuses: final_statuses }),
    ...(signature_schemes === undefined ? {} : { signatureSchemes: signature_schemes }),
    ...(forward_traceparent === undefined ? {} : { forwardTraceparent: forward_traceparent }),
  }
}

/** The text of the filter in a body: its numbers count as they are written. */
export function filterText(filter: object | null, bodyText: string): string | null {
  return filter === null ? null : (memberText(bodyText, 'filter') ?? null)
}
