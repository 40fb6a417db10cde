/**
 * Takes due deliveries in turns. What is kept between two turns: where in each shard, and in each tenant of a shard, the
 * last turn ended, so that the next one begins behind it; how many deliveries of each subscription and of each tenant are
 * in flight here; which subscriptions gave all they were allowed to, so that they may have more as soon as one of theirs
 * ends; how much a rate limit still allows; and who is in the slow lane.
 */
import type { FailureCode, Uuid } from '@posthorn/contract'
import {
  type Claim,
  type ClaimRow,
  claimDeliveries,
  claimOf,
  type Database,
  newUuid,
  shardOf,
  type Telemetry,
  type World,
} from '@posthorn/engine'
import { createCursors } from './cursors.ts'
import { createRateLimits } from './rate-limits.ts'
import { type AttemptEnd, createSlowLane } from './slow-lane.ts'

/** Deliveries that one subscription may give in one turn, so that the first of many does not take all free slots. */
const deliveriesPerTurnMax = 16
/** A lease outlasts the attempt's own time-out by this much: connect, record, and a database that hesitates. */
const leaseMarginMs = 15_000
/**
 * Looks of one claim at the most. A look that finds nothing to claim may have met only subscriptions that are slowed
 * down, or have begun behind everything that is due; so many looks pass over some thousand of the former.
 */
const looksMax = 10
/**
 * How many subscriptions are looked at for each free slot. Few are enough where each has many deliveries due; where a look
 * left slots free although there were more to look at, the next one looks at twice as many.
 */
const widthMin = 0.5
const widthMax = 8
/** What an attempt that hangs ends with. */
const timeOuts: ReadonlySet<FailureCode | null> = new Set(['connect_timeout', 'response_timeout'])

export type Turns = {
  /** Claims up to `count` deliveries of the owned shards. Fewer mean that there was no more to claim in this turn. */
  claim(shards: readonly number[], count: number): Promise<Claim[]>
  /** Milliseconds until a claim may find more because a rate limit allows it then; infinite when none is waited for. */
  msUntilAllowed(): number
  /** The shards in which deliveries are in flight, or may be because a claim is under way. */
  busyShards(): ReadonlySet<number>
  /** Says that the receiver has answered, or that its time is over. The attempt is still to be recorded. */
  answered(claim: Claim, failureCode: FailureCode | null): void
  /** Says that a claimed delivery is in flight no more. Answers whether another one may be due in its place. */
  ended(claim: Claim): boolean
  /** Slots that nothing is in flight in. */
  free(): number
}

export type TurnsParts = {
  db: Database
  world: World
  /** Attempts in flight at once. */
  slots: number
  /** An attempt without an answer for so long is late (see slow-lane.ts), in milliseconds. */
  lateAfterMs: number
  /** A clock that never jumps. */
  monotonicMs(): number
  telemetry: Telemetry
}

export function createTurns(parts: TurnsParts): Turns {
  const { db, world, slots, monotonicMs } = parts
  const cursors = createCursors()
  const inFlight = new Map<Uuid, number>()
  const inFlightOfTenants = new Map<string, number>()
  const mayHaveMore = new Set<Uuid>()
  const rateLimits = createRateLimits()
  const waitForRate = new Set<Uuid>()
  const slowLane = createSlowLane({
    slots,
    lateAfterMs: parts.lateAfterMs,
    inFlightOf: (subscriptionId) => inFlight.get(subscriptionId) ?? 0,
    onMove: (subscriptionId, isSlow) =>
      parts.telemetry({ what: isSlow ? 'slow_lane_entered' : 'slow_lane_left', subscriptionId }),
  })
  let slowWait = false
  let attempts = 0
  let width = 1
  let lookingAt: readonly number[] = []

  /** Claims once. Answers also with the shards that may hold more than was looked at. */
  async function look(shards: readonly number[], count: number): Promise<{ claims: Claim[]; unseen: number[] }> {
    slowLane.look(monotonicMs())
    const order = cursors.inOrder(shards)
    const perShard = (width * count) / Math.max(1, shards.length)
    const subscriptionsPerShard = Math.ceil(perShard) + 1
    const tenantsPerShard = Math.ceil(perShard / 2) + 1
    const allowed = rateLimits.allowed(monotonicMs())
    const rows = await claimDeliveries(db.pool, {
      shards: order,
      ...cursors.of(order),
      tenantsPerShard,
      subscriptionsPerShard,
      deliveriesPerSubscription: deliveriesPerTurnMax,
      inFlight,
      inFlightOfTenants,
      allowed,
      slow: slowLane.subscriptions,
      slowMax: slowLane.room,
      attemptIds: Array.from({ length: count }, () => newUuid(world)),
      leaseMarginMs,
    })
    const claims = rows.filter((row) => row.delivery_id !== null).map(claimOf)
    for (const claim of claims) began(claim)
    for (const [subscriptionId, given] of Map.groupBy(rows, (row) => row.subscription_id)) {
      note(subscriptionId, given, allowed)
    }
    const full = claims.length === count
    const unseen = cursors.move(order, rows, { tenantsPerShard, subscriptionsPerShard, full })
    if (full) width = Math.max(widthMin, width * 0.9)
    else if (unseen.length > 0) width = Math.min(widthMax, width * 2)
    return { claims, unseen }
  }

  function began(claim: Claim): void {
    attempts += 1
    inFlight.set(claim.subscriptionId, (inFlight.get(claim.subscriptionId) ?? 0) + 1)
    inFlightOfTenants.set(claim.tenantId, (inFlightOfTenants.get(claim.tenantId) ?? 0) + 1)
    slowLane.began(claim, claim.subscriptionId, monotonicMs())
  }

  /** Keeps what a claim said of one subscription. */
  function note(subscriptionId: Uuid, given: readonly ClaimRow[], allowed: ReadonlyMap<Uuid, number>): void {
    const [first] = given
    if (first === undefined) return
    const count = given.filter((row) => row.delivery_id !== null).length
    rateLimits.began(subscriptionId, first.rate_limit_per_second, count, monotonicMs())
    if (first.waits) slowWait = true
    const isAtItsRate = first.room === 0 && allowed.get(subscriptionId) === 0
    if (isAtItsRate) waitForRate.add(subscriptionId)
    if (count >= (first.room ?? Number.POSITIVE_INFINITY) && inFlight.has(subscriptionId) && !isAtItsRate)
      mayHaveMore.add(subscriptionId)
    else mayHaveMore.delete(subscriptionId)
  }

  return {
    async claim(shards, count) {
      lookingAt = shards
      waitForRate.clear()
      slowWait = false
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
    msUntilAllowed: () => rateLimits.msUntilNext(waitForRate, monotonicMs()),
    busyShards: () => new Set([...lookingAt, ...[...inFlight.keys()].map(shardOf)]),
    answered(claim, failureCode) {
      slowLane.answered(claim, claim.subscriptionId, attemptEnd(failureCode), monotonicMs())
    },
    ended(claim) {
      const { subscriptionId, tenantId } = claim
      attempts -= 1
      const isSlow = slowLane.has(subscriptionId)
      slowLane.ended(claim, subscriptionId)
      const left = countDown(inFlight, subscriptionId)
      countDown(inFlightOfTenants, tenantId)
      const more = mayHaveMore.has(subscriptionId) || (isSlow && slowWait)
      if (left <= 0) mayHaveMore.delete(subscriptionId)
      return more
    },
    free() {
      slowLane.look(monotonicMs())
      return slots + slowLane.lent - attempts
    },
  }
}

function attemptEnd(failureCode: FailureCode | null): AttemptEnd {
  if (failureCode === null) return 'accepted'
  return timeOuts.has(failureCode) ? 'timed_out' : 'refused'
}

/** One less of it. Answers how many are left. */
function countDown<Key>(counts: Map<Key, number>, key: Key): number {
  const left = (counts.get(key) ?? 1) - 1
  if (left > 0) counts.set(key, left)
  else counts.delete(key)
  return left
}
