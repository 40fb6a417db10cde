import { formatId, type StreamedAttempt } from '@posthorn/contract'
import type { StreamedRow } from '@posthorn/engine'

export function streamedAttemptView(row: StreamedRow): StreamedAttempt {
  return {
    attempt_id: formatId('attempt', row.id),
    delivery_id: formatId('delivery', row.delivery_id),
    event_id: formatId('event', row.event_id),
    subscription_id: formatId('subscription', row.subscription_id),
    tenant: row.tenant_id,
    event_type: row.event_type,
    state: row.state,
    number: row.number,
    trigger: row.trigger,
    failure_code: row.failure_code,
    http_status: row.http_status,
    ended_at: row.ended_at.toISOString(),
  }
}
