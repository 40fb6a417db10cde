import { formatId, type Attempt as WireAttempt } from '@posthorn/contract'
import type { Attempt } from '@posthorn/engine'
import type { Reader } from '../reader.ts'
import { requestHeadersView, responseHeadersView } from './headers.ts'

/** Every attempt is a POST (Standard Webhooks 1.0). */
const method = 'POST'

/** What must be known beside attempts to show them to a reader. */
export type Beside = {
  /** The names of the headers that the publisher of the event gave; undefined when nobody knows them any more. */
  ofEvent: ReadonlySet<string> | undefined
  /** Who may be named to the reader, and with what they said. */
  isNamed(actor: string): boolean
}

export function attemptView(attempt: Attempt, reader: Reader, { ofEvent, isNamed }: Beside): WireAttempt {
  const isAnonymous = attempt.actor !== null && !isNamed(attempt.actor)
  return {
    id: formatId('attempt', attempt.id),
    tenant: attempt.tenantId,
    delivery_id: formatId('delivery', attempt.deliveryId),
    event_id: formatId('event', attempt.eventId),
    subscription_id: formatId('subscription', attempt.subscriptionId),
    number: attempt.number,
    // The columns' CHECKs are held to the lists of words by a test; the headers are written from records of texts.
    trigger: attempt.trigger as WireAttempt['trigger'],
    actor: isAnonymous ? null : attempt.actor,
    reason: isAnonymous ? null : attempt.reason,
    started_at: attempt.startedAt.toISOString(),
    erased_at: attempt.erasedAt?.toISOString() ?? null,
    request: {
      method,
      url: attempt.url,
      headers: requestHeadersView(attempt.requestHeaders as Record<string, string>, reader, ofEvent),
    },
    remote_address: attempt.remoteAddress,
    response: responseOf(attempt, reader),
    failure_code: attempt.failureCode as WireAttempt['failure_code'],
    failure_detail: attempt.failureDetail,
    timings: {
      wait_ms: attempt.waitMs,
      dns_ms: attempt.dnsMs,
      connect_ms: attempt.connectMs,
      tls_ms: attempt.tlsMs,
      first_byte_ms: attempt.firstByteMs,
      total_ms: attempt.totalMs,
    },
  }
}

/** Null when no answer came. What a receiver says of an event is a payload too; bytes that are not UTF-8 are shown as U+FFFD. */
function responseOf(attempt: Attempt, reader: Reader): WireAttempt['response'] {
  if (attempt.httpStatus === null) return null
  return {
    status: attempt.httpStatus,
    headers: responseHeadersView(attempt.responseHeaders as Record<string, string>, reader),
    body: reader.payloads ? Buffer.from(attempt.responseBody).toString('utf8') : null,
    truncated: attempt.responseTruncated,
  }
}
