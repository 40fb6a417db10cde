/**
 * Where the looks for due work have ended: in each shard the tenant that was looked at last, when there were more of
 * them, and in a tenant of a shard the subscription, when there were more of those. The next look begins behind them.
 */
import type { Uuid } from '@posthorn/contract'
import type { DueSubscription } from '@posthorn/engine'

/** Tenants of one shard with a place kept in them. Beyond it the oldest is forgotten: looks at that tenant begin anew. */
const placesPerShardMax = 50

/** What a look was limited to. */
export type Look = {
  tenantsPerShard: number
  subscriptionsPerShard: number
}

export type Cursors = {
  /** Where the looks begin. */
  of(shards: readonly number[]): {
    afterTenants: readonly string[]
    afterSubscriptions: ReadonlyMap<number, ReadonlyMap<string, Uuid>>
  }
  /** Notes where a look ended. Answers with the shards that may hold more than was looked at. */
  move(shards: readonly number[], found: readonly DueSubscription[], look: Look): number[]
}

export function createCursors(): Cursors {
  const afterTenant = new Map<number, string>()
  const afterSubscription = new Map<number, Map<string, Uuid>>()

  function remember(shard: number, tenantId: string, subscriptionId: Uuid): void {
    const places = afterSubscription.get(shard) ?? new Map<string, Uuid>()
    afterSubscription.set(shard, places)
    places.delete(tenantId)
    places.set(tenantId, subscriptionId)
    const [oldest] = places.keys()
    if (places.size > placesPerShardMax && oldest !== undefined) places.delete(oldest)
  }

  /** Answers whether all of the tenant's subscriptions with work in the shard were looked at. */
  function moveInTenant(shard: number, found: readonly DueSubscription[], subscriptionsMax: number): boolean {
    const last = found.at(-1)
    if (last === undefined) return true
    const places = afterSubscription.get(shard)
    const beganInTheMiddle = places?.has(last.tenant_id) ?? false
    const isAtEnd = found.length < subscriptionsMax
    if (isAtEnd) places?.delete(last.tenant_id)
    else remember(shard, last.tenant_id, last.subscription_id)
    return isAtEnd && !beganInTheMiddle
  }

  /** Answers whether everything with work in the shard was looked at. */
  function moveInShard(shard: number, found: readonly DueSubscription[], look: Look): boolean {
    const tenants = Map.groupBy(found, (one) => one.tenant_id)
    // As the statement shares them out.
    const subscriptionsMax = Math.max(2, Math.ceil(look.subscriptionsPerShard / Math.max(1, tenants.size)))
    let isAllSeen = tenants.size < look.tenantsPerShard
    // Whoever has no work any more needs no place.
    const places = afterSubscription.get(shard)
    if (isAllSeen) for (const id of places?.keys() ?? []) if (!tenants.has(id)) places?.delete(id)
    for (const ofTenant of tenants.values()) if (!moveInTenant(shard, ofTenant, subscriptionsMax)) isAllSeen = false
    const last = found.at(-1)
    if (last !== undefined) afterTenant.set(shard, last.tenant_id)
    return isAllSeen
  }

  return {
    of: (shards) => ({
      afterTenants: shards.map((shard) => afterTenant.get(shard) ?? ''),
      afterSubscriptions: new Map(shards.map((shard) => [shard, afterSubscription.get(shard) ?? new Map()])),
    }),
    move(shards, found, look) {
      const byShard = Map.groupBy(found, (one) => one.shard)
      return shards.filter((shard) => !moveInShard(shard, byShard.get(shard) ?? [], look))
    },
  }
}
