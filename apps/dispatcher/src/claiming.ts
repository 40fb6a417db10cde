/**
 * Takes due deliveries in turns. What is kept between two turns: where in each shard the last turn ended, so that the
 * next one begins behind it; how many deliveries of each subscription are in flight here; and which subscriptions gave
 * all they were allowed to, so that they may have more as soon as one of theirs ends.
 */
import type { Uuid } from '@posthorn/contract'
import {
  type Claim,
  type ClaimRow,
  claimDeliveries,
  claimOf,
  type Database,
  newUuid,
  type World,
} from '@posthorn/engine'

/** Deliveries that one subscription may give in one turn, so that the first of many does not take all free slots. */
const deliveriesPerTurnMax = 16
/** A lease outlasts the attempt's own time-out by this much: connect, record, and a database that hesitates. */
const leaseMarginMs = 15_000
/** Sorts before every id. */
const nil: Uuid = '00000000-0000-0000-0000-000000000000'

export type Turns = {
  /** Claims up to `count` deliveries of the owned shards. Fewer mean that there was no more to claim in this turn. */
  claim(shards: readonly number[], count: number): Promise<Claim[]>
  /** Says that a claimed delivery is in flight no more. Answers whether its subscription may have another one due. */
  ended(claim: Claim): boolean
}

export function createTurns(db: Database, world: World): Turns {
  const lastServed = new Map<number, Uuid>()
  const inFlight = new Map<Uuid, number>()
  const mayHaveMore = new Set<Uuid>()
  let firstShard = 0

  async function claimOnce(shards: readonly number[], count: number): Promise<{ claims: Claim[]; wrapped: boolean }> {
    // Every turn begins with another shard, so that none is always first.
    firstShard = shards.length === 0 ? 0 : (firstShard + 1) % shards.length
    const order = [...shards.slice(firstShard), ...shards.slice(0, firstShard)]
    const subscriptionsPerShard = Math.ceil((2 * count) / Math.max(1, shards.length)) + 1
    const rows = await claimDeliveries(db.pool, {
      shards: order,
      after: order.map((shard) => lastServed.get(shard) ?? nil),
      subscriptionsPerShard,
      deliveriesPerSubscription: deliveriesPerTurnMax,
      inFlight,
      attemptIds: Array.from({ length: count }, () => newUuid(world)),
      leaseMarginMs,
    })
    const claims = rows.flatMap((row) => (row.delivery_id === null ? [] : [claimOf(row)]))
    for (const { subscriptionId } of claims) inFlight.set(subscriptionId, (inFlight.get(subscriptionId) ?? 0) + 1)
    for (const [subscriptionId, given] of Map.groupBy(rows, (row) => row.subscription_id)) {
      const count = given.filter((row) => row.delivery_id !== null).length
      if (count >= (given[0]?.room ?? Number.POSITIVE_INFINITY)) mayHaveMore.add(subscriptionId)
      else mayHaveMore.delete(subscriptionId)
    }
    const wrapped = remember(order, rows, { subscriptionsPerShard, full: claims.length === count })
    return { claims, wrapped }
  }

  /** Notes where each shard's turn ended. Says whether one came to its end and begins anew. */
  function remember(
    shards: readonly number[],
    rows: readonly ClaimRow[],
    turn: { subscriptionsPerShard: number; full: boolean },
  ): boolean {
    const byShard = Map.groupBy(rows, (row) => row.shard)
    let wrapped = false
    for (const shard of shards) {
      const hops = byShard.get(shard) ?? []
      // When all slots were filled, subscriptions behind the last served one had no turn yet.
      const had = lastTurn(turn.full ? hops.filter((row) => row.delivery_id !== null) : hops)
      const atEnd = !turn.full && (had?.turn ?? 0) < turn.subscriptionsPerShard
      if (atEnd) {
        wrapped ||= lastServed.delete(shard)
      } else if (had !== undefined) {
        lastServed.set(shard, had.subscription_id)
      }
    }
    return wrapped
  }

  return {
    async claim(shards, count) {
      const { claims, wrapped } = await claimOnce(shards, count)
      // The turn may have started behind everything that is due.
      return claims.length === 0 && wrapped ? (await claimOnce(shards, count)).claims : claims
    },
    ended({ subscriptionId }) {
      const left = (inFlight.get(subscriptionId) ?? 1) - 1
      if (left > 0) inFlight.set(subscriptionId, left)
      else inFlight.delete(subscriptionId)
      const more = mayHaveMore.has(subscriptionId)
      if (left <= 0) mayHaveMore.delete(subscriptionId)
      return more
    },
  }
}

function lastTurn(rows: readonly ClaimRow[]): ClaimRow | undefined {
  return rows.reduce<ClaimRow | undefined>(
    (last, row) => (last === undefined || row.turn > last.turn ? row : last),
    undefined,
  )
}
