import { formatId, type ProblemPlace, uuidTime, type EventSummary as WireEventSummary } from '@posthorn/contract'
import { type Event, type EventSummary, redacted } from '@posthorn/engine'
import { ExactJson } from '../exact-json.ts'
import type { Reader } from '../reader.ts'
import { eventHeadersView } from './headers.ts'

export function eventSummaryView(event: EventSummary, reader: Reader): WireEventSummary {
  return {
    id: formatId('event', event.id),
    tenant: event.tenantId,
    type: event.type,
    timestamp: event.timestamp.toISOString(),
    keys: event.keys,
    publish_id: event.publishId,
    traceparent: event.traceparent,
    schema_version: event.schemaVersion,
    validation_errors: event.validationErrors && placesView(event.validationErrors, reader),
    erased_at: event.erasedAt?.toISOString() ?? null,
    created_at: new Date(uuidTime(event.id)).toISOString(),
  }
}

/** An event for `sendExactJson`: its data is the publisher's text, or left out for readers who may not see payloads. */
export function eventView(event: Event, reader: Reader) {
  const data = reader.payloads ? { data: new ExactJson(event.data) } : { data_redacted: true }
  return { ...eventSummaryView(event, reader), headers: eventHeadersView(event.headers ?? {}, reader), ...data }
}

/** How much does not fit may be known; where and why may name what the data holds. */
function placesView(places: readonly ProblemPlace[], reader: Reader): ProblemPlace[] {
  return reader.payloads ? [...places] : places.map(() => ({ pointer: '', detail: redacted }))
}
