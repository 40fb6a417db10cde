import { formatId, type OutboxEvent as WireOutboxEvent } from '@posthorn/contract'
import { type ListedOutboxEvent, outboxPublishId, type WholeOutboxEvent } from '@posthorn/engine'
import { ExactJson } from '../exact-json.ts'
import type { Reader } from '../reader.ts'
import { eventHeadersView } from './headers.ts'

export function outboxEventView(event: ListedOutboxEvent): WireOutboxEvent {
  return {
    id: formatId('outbox_event', event.id),
    state: event.refusedAt === null ? 'waiting' : 'refused',
    tenant: event.tenantId,
    type: event.type,
    publish_id: outboxPublishId(event.id, event.publishId),
    // An object, by the column's CHECK; what its members are is judged when it is published.
    keys: event.keys as WireOutboxEvent['keys'],
    timestamp: event.timestamp.toISOString(),
    written_at: event.writtenAt.toISOString(),
    refused_at: event.refusedAt?.toISOString() ?? null,
    // Written by the engine in this form.
    problem: event.problem as WireOutboxEvent['problem'],
  }
}

/** One for `sendExactJson`: its data is the writer's text, or left out for readers who may not see payloads. */
export function outboxEventContentView(event: WholeOutboxEvent, reader: Reader) {
  const data = reader.payloads ? { data: new ExactJson(event.data) } : { data_redacted: true }
  return { ...outboxEventView(event), headers: eventHeadersView(textsOf(event.headers), reader), ...data }
}

/** What is no text is what it may have been refused for. */
function textsOf(headers: unknown): Record<string, string> {
  const entries = Object.entries(Object(headers))
  return Object.fromEntries(
    entries.map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]),
  )
}
