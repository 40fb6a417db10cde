import { formatId, type OutboxEvent as WireOutboxEvent } from '@posthorn/contract'
import { type ListedOutboxEvent, outboxPublishId } from '@posthorn/engine'

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
