/**
 * Where the turns have ended: in each shard the tenant that was served last, in a tenant of a shard the subscription that
 * was served last when it has more of them than had their turn, and the shard that was served last of all. The next turns
 * begin behind them.
 */
import type { Uuid } from '@posthorn/contract'
import type { ClaimRow } from '@posthorn/engine'

/** Tenants of one shard with a place kept in them. Beyond it the oldest is forgotten: that tenant's turns begin anew. */
const placesPerShardMax = 50

export type Look = {
  tenantsPerShard: number
  subscriptionsPerShard: number
  /** All slots were filled, so what came behind the last one served had no turn yet. */
  full: boolean
}

/** How many of a tenant's subscriptions were looked at, at the most. */
type TenantLook = { subscriptions: number; full: boolean; isAlone: boolean }

export type Cursors = {
  /** The shards, those behind the one that was served last first, so that each has its turn however few slots there are. */
  inOrder(shards: readonly number[]): number[]
  /** Where the turns begin, for a claim. */
  of(shards: readonly number[]): {
    afterTenants: readonly string[]
    afterSubscriptions: ReadonlyMap<number, ReadonlyMap<string, Uuid>>
  }
  /** Notes where the turns of a claim have ended. Answers with the shards that may hold more than was looked at. */
  move(shards: readonly number[], rows: readonly ClaimRow[], look: Look): number[]
}

export function createCursors(): Cursors {
  const afterTenant = new Map<number, string>()
  const afterSubscription = new Map<number, Map<string, Uuid>>()
  let lastShard = -1

  function remember(shard: number, tenantId: string, subscriptionId: Uuid): void {
    const places = afterSubscription.get(shard) ?? new Map<string, Uuid>()
    afterSubscription.set(shard, places)
    places.delete(tenantId)
    places.set(tenantId, subscriptionId)
    const [oldest] = places.keys()
    if (places.size > placesPerShardMax && oldest !== undefined) places.delete(oldest)
  }

  /** Answers whether all of the tenant's subscriptions with work in the shard were looked at. */
  function moveInTenant(tenant: { shard: number; id: string }, hops: readonly ClaimRow[], look: TenantLook): boolean {
    const places = afterSubscription.get(tenant.shard)
    const beganInTheMiddle = places?.has(tenant.id) ?? false
    const seen = latest(hops, (row) => row.turn_of_tenant)?.turn_of_tenant ?? 0
    const last = latest(look.full ? hops.filter((row) => row.delivery_id !== null) : hops, (row) => row.turn_of_tenant)
    // With all slots filled, the last one served may have more. It goes behind the others of its tenant, and behind new
    // ones; the latter only in a tenant that has the shard to itself, as others give no more than a part in one turn.
    const isContested = look.full && (seen > 1 || look.isAlone)
    const mayHaveMore = isContested && last !== undefined && given(hops, last) >= (last.room ?? 0)
    const isAtEnd = seen < look.subscriptions && last?.turn_of_tenant === seen && !mayHaveMore
    if (isAtEnd) places?.delete(tenant.id)
    else if (last !== undefined) remember(tenant.shard, tenant.id, last.subscription_id)
    return isAtEnd && !beganInTheMiddle
  }

  function moveInShard(shard: number, hops: readonly ClaimRow[], look: Look): boolean {
    const tenants = Map.groupBy(hops, (row) => row.tenant_id)
    const subscriptions = Math.max(2, Math.ceil(look.subscriptionsPerShard / Math.max(1, tenants.size)))
    let isAllSeen = !look.full && tenants.size < look.tenantsPerShard
    // Whoever has no work any more needs no place.
    const places = afterSubscription.get(shard)
    if (isAllSeen) for (const id of places?.keys() ?? []) if (!tenants.has(id)) places?.delete(id)
    for (const [id, rows] of tenants) {
      if (!moveInTenant({ shard, id }, rows, { subscriptions, full: look.full, isAlone: tenants.size === 1 }))
        isAllSeen = false
    }
    const last = latest(look.full ? hops.filter((row) => row.delivery_id !== null) : hops, (row) => row.turn)
    if (last !== undefined) afterTenant.set(shard, last.tenant_id)
    return isAllSeen
  }

  return {
    inOrder: (shards) => [
      ...shards.filter((shard) => shard > lastShard),
      ...shards.filter((shard) => shard <= lastShard),
    ],
    of: (shards) => ({
      afterTenants: shards.map((shard) => afterTenant.get(shard) ?? ''),
      afterSubscriptions: new Map(shards.map((shard) => [shard, afterSubscription.get(shard) ?? new Map()])),
    }),
    move(shards, rows, look) {
      const byShard = Map.groupBy(rows, (row) => row.shard)
      const claimed = rows.filter((row) => row.delivery_id !== null)
      if (look.full) lastShard = latest(claimed, (row) => row.place)?.shard ?? lastShard
      return shards.filter((shard) => {
        const hops = byShard.get(shard)
        return hops !== undefined && !moveInShard(shard, hops, look)
      })
    },
  }
}

/** Deliveries that the subscription of this row gave. */
function given(rows: readonly ClaimRow[], { subscription_id: id }: ClaimRow): number {
  return rows.filter((row) => row.subscription_id === id && row.delivery_id !== null).length
}

function latest<Row>(rows: readonly Row[], rank: (row: Row) => number | null): Row | undefined {
  return rows.reduce<Row | undefined>(
    (last, row) => (last === undefined || (rank(row) ?? 0) > (rank(last) ?? 0) ? row : last),
    undefined,
  )
}
