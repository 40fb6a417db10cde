import { formatId, type SearchHit, type SearchKind } from '@posthorn/contract'
import type { Found } from '@posthorn/engine'

export function searchHitView(found: Found): SearchHit {
  const id = found.kind === 'tenant' || found.kind === 'event_type' ? found.id : formatId(found.kind, found.id)
  return {
    kind: found.kind,
    id,
    tenant: found.tenantId,
    matched: found.matched,
    key: found.key,
    created_at: new Date(found.createdMs).toISOString(),
    links: linksOf[found.kind](encodeURIComponent(id), found),
  }
}

const linksOf: Readonly<Record<SearchKind, (id: string, found: Found) => Record<string, string>>> = {
  event: (id) => ({
    self: `/v1/events/${id}`,
    matches: `/v1/events/${id}/matches`,
    deliveries: `/v1/deliveries?event=${id}`,
  }),
  delivery: (id) => ({ self: `/v1/deliveries/${id}`, attempts: `/v1/deliveries/${id}/attempts` }),
  attempt: (_id, { deliveryId = '' }) => {
    const delivery = `/v1/deliveries/${formatId('delivery', deliveryId)}`
    return { self: `${delivery}/attempts`, delivery }
  },
  subscription: (id) => ({
    self: `/v1/subscriptions/${id}`,
    health: `/v1/subscriptions/${id}/health`,
    deliveries: `/v1/deliveries?subscription=${id}`,
  }),
  replay: (id) => ({ self: `/v1/replays/${id}`, deliveries: `/v1/deliveries?replay=${id}` }),
  tenant: (id) => ({
    self: `/v1/tenants/${id}`,
    subscriptions: `/v1/subscriptions?tenant=${id}`,
    deliveries: `/v1/deliveries?tenant=${id}`,
  }),
  event_type: (id) => ({ self: `/v1/event-types/${id}`, versions: `/v1/event-types/${id}/versions` }),
  api_key: () => ({ self: '/v1/api-keys' }),
}
