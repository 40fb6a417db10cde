import { formatId, type IdNoun, type SearchHit, type SearchKind } from '@posthorn/contract'
import type { Found } from '@posthorn/engine'

export function searchHitView(found: Found): SearchHit {
  const id = isNamedByOthers(found.kind) ? found.id : formatId(found.kind, found.id)
  return {
    kind: found.kind,
    id,
    tenant: found.tenantId,
    matched: found.matched,
    key: found.key,
    request: found.request ? { operation: found.request.operation, answered: found.request.answered } : null,
    created_at: new Date(found.createdMs).toISOString(),
    links: linksOf[found.kind](encodeURIComponent(id), found),
  }
}

/** Of what has no id of ours. */
function isNamedByOthers(kind: SearchKind): kind is Exclude<SearchKind, IdNoun> {
  return kind === 'tenant' || kind === 'event_type' || kind === 'idempotency_key'
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
  idempotency_key: (_id, { request }) => {
    const [event, ...more] = request?.eventIds ?? []
    // Those of a batch are told one by one.
    return event === undefined || more.length > 0 ? {} : { event: `/v1/events/${formatId('event', event)}` }
  },
}
