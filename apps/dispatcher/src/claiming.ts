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
  shardOf,
  type World,
} from '@posthorn/engine'

/** Deliveries that one subscription may give in one turn, so that the first of many does not take all free slots. */
const deliveriesPerTurnMax = 16
/** A lease outlasts the attempt's own time-out by this much: connect, record, and a database that hesitates. */
const leaseMarginMs = 15_000
/**
 * Looks of one claim at the most. A look that finds nothing to claim may have met only subscriptions that are slowed
 * down, or have begun behind everything that is due; so many looks pass over some thousand of the former.
 */
const looksMax = 10
/** Sorts before every id. */
const nil: Uuid = '00000000-0000-0000-0000-000000000000'

export type Turns = {
  /** Claims up to `count` deliveries of the owned shards. Fewer mean that there was no more to claim in this turn. */
  claim(shards: readonly number[], count: number): Promise<Claim[]>
  /** The shards in which deliveries are in flight, or may be because a claim is under way. */
  busyShards(): ReadonlySet<number>
  /** Says that a claimed delivery is in flight no more. Answers whether its subscription may have another one due. */
  ended(claim: Claim): boolean
}

export function createTurns(db: Database, world: World): Turns {
  const lastServed = new Map<number, Uuid>()
  const inFlight = new Map<Uuid, number>()
  const mayHaveMore = new Set<Uuid>()
  let lastShard = -1
  let lookingAt: readonly number[] = []

  /** Claims once. Answers also with the shards that may hold more than was looked at. */
  async function look(shards: readonly number[], count: number): Promise<{ claims: Claim[]; unseen: number[] }> {
    // Behind the shard that was served last, so that each has its turn however few slots a turn has.
    const order = [...shards.filter((shard) => shard > lastShard), ...shards.filter((shard) => shard <= lastShard)]
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
    const claimed = rows.filter((row) => row.delivery_id !== null)
    const claims = claimed.map(claimOf)
    for (const { subscriptionId } of claims) inFlight.set(subscriptionId, (inFlight.get(subscriptionId) ?? 0) + 1)
    for (const [subscriptionId, given] of Map.groupBy(rows, (row) => row.subscription_id)) {
      const count = given.filter((row) => row.delivery_id !== null).length
      if (count >= (given[0]?.room ?? Number.POSITIVE_INFINITY)) mayHaveMore.add(subscriptionId)
      else mayHaveMore.delete(subscriptionId)
    }
    const full = claims.length === count
    if (full) lastShard = lastServedShard(claimed, order)
    return { claims, unseen: remember(order, rows, { subscriptionsPerShard, full }) }
  }

  /** Notes where each shard's turn ended. Answers with those whose turn began or ended in the middle. */
  function remember(
    shards: readonly number[],
    rows: readonly ClaimRow[],
    turn: { subscriptionsPerShard: number; full: boolean },
  ): number[] {
    const byShard = Map.groupBy(rows, (row) => row.shard)
    return shards.filter((shard) => {
      const hops = byShard.get(shard) ?? []
      // When all slots were filled, subscriptions behind the last served one had no turn yet.
      const had = lastTurn(turn.full ? hops.filter((row) => row.delivery_id !== null) : hops)
      const atEnd = !turn.full && (had?.turn ?? 0) < turn.subscriptionsPerShard
      if (atEnd) return lastServed.delete(shard)
      if (had !== undefined) lastServed.set(shard, had.subscription_id)
      return true
    })
  }

  return {
    async claim(shards, count) {
      lookingAt = shards
      try {
        let unseen = shards
        for (let looks = 0; looks < looksMax && unseen.length > 0; looks += 1) {
          const found = await look(unseen, count)
          if (found.claims.length > 0) return found.claims
          unseen = found.unseen
        }
        return []
      } finally {
        lookingAt = []
      }
    },
    busyShards: () => new Set([...lookingAt, ...[...inFlight.keys()].map(shardOf)]),
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

/** The first subscriptions of all shards are served in this order, then the second ones, until the slots are filled. */
function lastServedShard(claimed: readonly ClaimRow[], order: readonly number[]): number {
  const turn = claimed.reduce((last, row) => Math.max(last, row.turn), 0)
  const served = new Set(claimed.filter((row) => row.turn === turn).map((row) => row.shard))
  return order.findLast((shard) => served.has(shard)) ?? -1
}
