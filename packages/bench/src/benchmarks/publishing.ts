/** What the benchmarks that publish have in common: tenants to publish for, and what is published. */

import { putEventType } from '@posthorn/engine'
import type { LoadTarget } from '../children/load/load.ts'
import { eventData, eventType, type Scenery, subscribe } from '../stage/scenery.ts'

const clients = 32

/** Tenants with one subscription each, so every event is one delivery, and the event type that is published. */
export async function setPublishers(scenery: Scenery, tenants: number): Promise<void> {
  await putEventType(scenery.db, eventType, {
    description: null,
    group: null,
    state: 'active',
    validation: 'off',
    keyPointers: {},
  })
  await subscribe(scenery, { name: 'publisher', count: tenants, perTenant: 1 })
}

export type PublishLoad = { origin: string; key: string; tenants: number; seconds: number; warmUpSeconds: number }

/** Publishes by REST, one event a request, for the tenants of `setPublishers` in turn. */
export function publishLoad({ tenants, ...load }: PublishLoad): LoadTarget {
  const bodies = Array.from(
    { length: tenants },
    (_, tenant) => `{"tenant":"publisher-${tenant}","type":"${eventType}","data":${eventData}}`,
  )
  return { ...load, path: '/v1/events', bodies, clients }
}
