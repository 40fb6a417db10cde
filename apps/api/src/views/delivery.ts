import { formatId, uuidTime, type Delivery as WireDelivery } from '@posthorn/contract'
import type { DeliveryRow } from '@posthorn/engine'

export function deliveryView(row: DeliveryRow): WireDelivery {
  return {
    id: formatId('delivery', row.id),
    tenant: row.tenant_id,
    event_id: formatId('event', row.event_id),
    event_type: row.event_type,
    subscription_id: formatId('subscription', row.subscription_id),
    state: row.state,
    in_flight: row.in_flight,
    attempt_count: row.attempt_count,
    next_attempt_at: row.next_attempt_at?.toISOString() ?? null,
    last_failure_code: row.last_failure_code,
    last_http_status: row.last_http_status,
    created_at: new Date(uuidTime(row.id)).toISOString(),
    delivered_at: row.delivered_at?.toISOString() ?? null,
    finished_at: row.finished_at?.toISOString() ?? null,
    erased_at: row.erased_at?.toISOString() ?? null,
    canceled_reason: row.canceled_reason,
  }
}
