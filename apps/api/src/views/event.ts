import { formatId, uuidTime, type EventSummary as WireEventSummary } from '@posthorn/contract'
import type { Event, EventSummary } from '@posthorn/engine'
import { ExactJson } from '../exact-json.ts'

export function eventSummaryView(event: EventSummary): WireEventSummary {
  return {
    id: formatId('event', event.id),
    tenant: event.tenantId,
    type: event.type,
    timestamp: event.timestamp.toISOString(),
    keys: event.keys,
    publish_id: event.publishId,
    traceparent: event.traceparent,
    schema_version: event.schemaVersion,
    validation_errors: event.validationErrors,
    created_at: new Date(uuidTime(event.id)).toISOString(),
  }
}

/** An event for `sendExactJson`: its data is the publisher's text, or left out for readers who may not see payloads. */
export function eventView(event: Event, payloads: boolean) {
  const data = payloads ? { data: new ExactJson(event.data) } : { data_redacted: true }
  return { ...eventSummaryView(event), ...data }
}
