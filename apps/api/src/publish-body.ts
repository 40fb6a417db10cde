/** Bodies of publishes, from the words of the wire to those of the engine, with the data as it was written. */
import { formatId, limits, Problem, type PublishEvent, type PublishedEvent, parseTime } from '@posthorn/contract'
import {
  type Accepted,
  type Credential,
  customHeaders,
  type EventDraft,
  type IdempotencyRecord,
  isTraceparent,
  onceIdOf,
  tenantNotFound,
} from '@posthorn/engine'
import { givenIds } from './path-id.ts'

/** Who publishes, and with which request. */
export type Publication = {
  credential: Credential
  traceparent: string | undefined
  /** The record of the request's idempotency key, if it has one. */
  once: IdempotencyRecord | undefined
}

/**
 * What is to be published.
 *
 * @param data the exact text of the member `data`
 * @param place the event's place in a batch
 * @throws Problem `tenant_not_found` for another tenant than the caller's, `body_too_large`, `invalid_header`, `invalid_request`
 */
export function eventDraft(
  body: PublishEvent,
  data: string | undefined,
  { credential, traceparent, once }: Publication,
  place = 0,
): EventDraft {
  if (credential.tenantId !== undefined && credential.tenantId !== body.tenant) throw tenantNotFound(body.tenant)
  return {
    tenantId: body.tenant,
    type: body.type,
    data: withinLimit(data),
    ...(body.timestamp === undefined ? {} : { timestamp: timeOf(body.timestamp) }),
    ...(body.id === undefined ? {} : { publishId: body.id }),
    ...(once === undefined ? {} : { onceId: onceIdOf(once, place) }),
    ...(body.keys === undefined ? {} : { keys: body.keys }),
    ...(body.headers === undefined ? {} : { headers: customHeaders(body.headers) }),
    ...(body.subscriptions === undefined ? {} : { subscriptionIds: givenIds('subscription', body.subscriptions) }),
    ...(traceparent === undefined ? {} : { traceparent }),
  }
}

export function publishedEventView({ eventId, duplicate, deliveries }: Accepted): PublishedEvent {
  return {
    id: formatId('event', eventId),
    duplicate,
    deliveries: deliveries.map(({ id, subscriptionId }) => ({
      id: formatId('delivery', id),
      subscription_id: formatId('subscription', subscriptionId),
    })),
  }
}

/** The caller's trace, if the header is well-formed; a malformed one is ignored, as the standard asks. */
export function traceOf(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' && isTraceparent(header) ? header : undefined
}

/** @throws Problem `body_too_large` */
export function withinLimit(data: string | undefined): string {
  // The schema has required the member; its text was found by the same name.
  if (data === undefined) throw new Error('data was validated and not found')
  const bytes = Buffer.byteLength(data)
  if (bytes <= limits.eventDataBytesMax) return data
  throw new Problem('body_too_large', `data is ${bytes} bytes; at most ${limits.eventDataBytesMax} are accepted.`, {
    errors: [{ pointer: '/data', detail: `is longer than ${limits.eventDataBytesMax} bytes` }],
  })
}

/** @throws Problem `invalid_request` when it is no day of the calendar */
export function timeOf(text: string, pointer = '/timestamp'): Date {
  const ms = parseTime(text)
  if (ms !== undefined) return new Date(ms)
  const detail = 'is not a day of the calendar'
  throw new Problem('invalid_request', `${pointer.slice(1)} ${detail}.`, { errors: [{ pointer, detail }] })
}
