/**
 * Takes due deliveries in turns, in two steps: *looks* find the subscriptions that have some, and *claims* take
 * deliveries of those. What a look found is kept, so that a busy dispatcher claims again and again without looking.
 *
 * A shard is looked at when it may hold something that is not known: a hint came, the last look did not see all of it, or
 * a quarter of a second has passed. While what is known fills all slots, only a part of such shards is looked at for each
 * claim, those that have waited longest first: newcomers have their turn within a few claims, whatever else there is.
 *
 * What is kept beside that: how many deliveries of each subscription and of each tenant are in flight here, how much a
 * rate limit still allows, and who is in the slow lane.
 */
import type { FailureCode, Uuid } from '@posthorn/contract'
import {
  type Claim,
  claimDeliveries,
  claimOf,
  type Database,
  type DueWork,
  newUuid,
  rateBurst,
  selectDueSubscriptions,
  shardOf,
  type Telemetry,
  type World,
} from '@posthorn/engine'
import { createCursors } from './cursors.ts'
import { createDueSubscriptions, type Due } from './due-subscriptions.ts'
import { type DueOffer, shareOut } from './offers.ts'
import { createRateLimits } from './rate-limits.ts'
import { type AttemptEnd, createSlowLane } from './slow-lane.ts'
import { createWatermarks } from './watermarks.ts'

/** Deliveries that one subscription may give in one turn, so that the first of many does not take all free slots. */
const deliveriesPerTurnMax = 16
/** A lease outlasts the attempt's own time-out by this much: connect, record, and a database that hesitates. */
const leaseMarginMs = 15_000
/** Looks of one claim at the most. So many pass over some hundred subscriptions that may be sent nothing now. */
const looksMax = 10
/**
 * Every shard is looked at at least so often, in milliseconds: the longest that work waits to be found without a hint. It
 * is a second while all slots are filled, where the work would wait for a slot anyway, and longer where looks take long.
 */
const lookEveryMs = 250
const lookWhileFullEveryMs = 1_000
/**
 * Looks at all shards are at least so many times further apart than they take. Where a transaction that somebody holds
 * open keeps the database from cleaning up, a look passes everything that was claimed meanwhile.
 */
const lookRestFactor = 10
/** Shards looked at for a claim that what is known fills already, and how many of them at least without a hint. */
const shardsPerFullClaim = 4
const unheardPerFullClaim = 1
/** Subscriptions that a look lists of one shard, and how many of all shards for each slot. */
const subscriptionsPerShardMin = 4
const subscriptionsPerShardMax = 64
const subscriptionsPerSlot = 2
/** What an attempt that hangs ends with. */
const timeOuts: ReadonlySet<FailureCode | null> = new Set(['connect_timeout', 'response_timeout'])

export type Turns = {
  /** Hears that shards have work, perhaps of subscriptions that are not known to have some. Foreign ones are passed over. */
  hear(shards: Iterable<number>): void
  /** Hears of shards in which deliveries were made due, the oldest of each since then. Foreign ones are passed over. */
  hearWoken(woken: Iterable<{ shard: number; dueFrom: Date }>): void
  /**
   * Hears of subscriptions that have work, so that nothing need be looked at. Foreign ones are passed over; what cannot be
   * kept is looked for like everything else.
   */
  hearOf(due: readonly DueWork[]): void
  /** Claims up to `count` deliveries of the owned shards. Fewer mean that there was no more to claim in this turn. */
  claim(shards: readonly number[], count: number): Promise<Claim[]>
  /** Milliseconds until a claim may find more because a rate limit allows it then; infinite when none is waited for. */
  msUntilAllowed(): number
  /** The shards in which deliveries are in flight, or may be because a claim is under way. */
  busyShards(): ReadonlySet<number>
  /** Says that the receiver has answered, or that its time is over. The attempt is still to be recorded. */
  answered(claim: Claim, failureCode: FailureCode | null): void
  /** Nothing more is claimed of its subscription before this one has ended: its recording will say how it goes on. */
  holdBack(claim: Claim): void
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
  const due = createDueSubscriptions()
  const inFlight = new Map<Uuid, number>()
  const inFlightOfTenants = new Map<string, number>()
  const rateLimits = createRateLimits()
  const watermarks = createWatermarks()
  const waitForRate = new Set<Uuid>()
  /** Claims whose recording decides whether more is claimed of their subscriptions. */
  const deciding = new Set<Claim>()
  const slowLane = createSlowLane({
    slots,
    lateAfterMs: parts.lateAfterMs,
    inFlightOf: (subscriptionId) => inFlight.get(subscriptionId) ?? 0,
    onMove: (subscriptionId, isSlow) =>
      parts.telemetry({ what: isSlow ? 'slow_lane_entered' : 'slow_lane_left', subscriptionId }),
  })
  let slowWait = false
  let attempts = 0
  let owned: ReadonlySet<number> = new Set()
  /** Owned shards that may hold something unknown, in the order in which that became possible; first those with a hint. */
  const heard = new Set<number>()
  const unseen = new Set<number>()
  let seenAllAtMs = Number.NEGATIVE_INFINITY
  let lookedMs = 0
  let wasFull = false
  let claiming = false

  function own(shards: readonly number[]): void {
    const before = owned
    owned = new Set(shards)
    for (const shard of shards) if (!before.has(shard)) unseen.add(shard)
    if (shards.length === before.size && shards.every((shard) => before.has(shard))) return
    for (const some of [heard, unseen]) for (const shard of some) if (!owned.has(shard)) some.delete(shard)
    due.keepOnly(owned)
  }

  /** Looks at shards, and learns of what is due in them. */
  async function look(shards: readonly number[], count: number): Promise<void> {
    const perShard = Math.ceil((subscriptionsPerSlot * count) / shards.length)
    const subscriptionsPerShard = Math.min(subscriptionsPerShardMax, Math.max(subscriptionsPerShardMin, perShard))
    const limits = { tenantsPerShard: subscriptionsPerShard, subscriptionsPerShard }
    // A hint that comes while the look is under way is about something that it may not have seen.
    for (const shard of shards) {
      heard.delete(shard)
      unseen.delete(shard)
    }
    const startedAtMs = monotonicMs()
    try {
      const found = await selectDueSubscriptions(db.pool, { shards, ...cursors.of(shards), ...limits })
      for (const one of found) {
        if (!one.sends) continue
        due.learn({
          subscriptionId: one.subscription_id,
          tenantId: one.tenant_id,
          shard: one.shard,
          maxInFlight: one.max_in_flight,
          ratePerSecond: one.rate_limit_per_second,
          ordered: one.ordered,
        })
      }
      for (const shard of cursors.move(shards, found, limits)) unseen.add(shard)
    } catch (error) {
      for (const shard of shards) unseen.add(shard)
      throw error
    } finally {
      lookedMs += monotonicMs() - startedAtMs
    }
  }

  /** Shares slots out among what is known to be due. */
  function offersFor(count: number): DueOffer[] {
    const nowMs = monotonicMs()
    slowLane.look(nowMs)
    const allowed = rateLimits.allowed(nowMs)
    waitForRate.clear()
    slowWait = false
    const undecided = new Set([...deciding].map((claim) => claim.subscriptionId))
    const mayBeSlow = new Set<Uuid>()
    for (const id of slowLane.subscriptions) {
      const one = due.get(id)
      if (one === undefined || roomOf(one) <= 0) continue
      if (mayBeSlow.size < slowLane.room) mayBeSlow.add(id)
      else slowWait = true
    }

    function roomOf(one: Due): number {
      if (undecided.has(one.subscriptionId)) return 0
      const mine = (one.ordered ? 1 : one.maxInFlight) - (inFlight.get(one.subscriptionId) ?? 0)
      const rate = one.ratePerSecond
      if (rate === null || mine <= 0) return Math.min(mine, deliveriesPerTurnMax)
      const byRate = allowed.get(one.subscriptionId) ?? Math.floor(rateBurst(rate))
      if (byRate === 0) waitForRate.add(one.subscriptionId)
      return Math.min(mine, byRate, deliveriesPerTurnMax)
    }

    return shareOut({
      count,
      due,
      roomOf(one) {
        if (!slowLane.has(one.subscriptionId)) return roomOf(one)
        return mayBeSlow.has(one.subscriptionId) ? 1 : 0
      },
      inFlightOf: (subscriptionId) => inFlight.get(subscriptionId) ?? 0,
      inFlightOfTenant: (tenantId) => inFlightOfTenants.get(tenantId) ?? 0,
      dueFromOf: (subscriptionId) => watermarks.of(subscriptionId, nowMs),
    })
  }

  async function take(offers: readonly DueOffer[], count: number): Promise<Claim[]> {
    const rows = await claimDeliveries(db.pool, {
      offers,
      attemptIds: Array.from({ length: count }, () => newUuid(world)),
      leaseMarginMs,
    })
    const given = new Map<number, number>()
    const lastDueAt = new Map<number, Date>()
    for (const row of rows) {
      given.set(row.offer, (given.get(row.offer) ?? 0) + 1)
      lastDueAt.set(row.offer, row.due_at)
      learnFrom(offers[row.offer - 1]?.due, row.subscription)
    }
    const isFull = rows.length === count
    // Offers behind the last one that was needed were not asked.
    const last = isFull ? (rows.at(-1)?.offer ?? 0) : offers.length
    for (const [index, offer] of offers.slice(0, last).entries()) {
      const count = given.get(index + 1) ?? 0
      watermarks.claimed(offer, lastDueAt.get(index + 1), monotonicMs())
      if (count > 0) rateLimits.began(offer.subscriptionId, offer.due.ratePerSecond, count, monotonicMs())
      const isExhausted = count < offer.part && !(isFull && index + 1 === last)
      if (isExhausted) due.rest(offer.due)
      else due.served(offer.due)
    }
    const claims = rows.map(claimOf)
    for (const claim of claims) began(claim)
    return claims
  }

  function began(claim: Claim): void {
    attempts += 1
    inFlight.set(claim.subscriptionId, (inFlight.get(claim.subscriptionId) ?? 0) + 1)
    inFlightOfTenants.set(claim.tenantId, (inFlightOfTenants.get(claim.tenantId) ?? 0) + 1)
    slowLane.began(claim, claim.subscriptionId, monotonicMs())
  }

  /** Shards to look at for a claim: all that may hold something unknown, or some where what is known fills all slots. */
  function shardsToLookAt(isEnough: boolean): number[] {
    if (!isEnough) return [...new Set([...heard, ...unseen])]
    const first = [...heard].slice(0, shardsPerFullClaim - unheardPerFullClaim)
    return [...new Set([...first, ...unseen])].slice(0, shardsPerFullClaim)
  }

  return {
    hear(shards) {
      for (const shard of shards) if (owned.has(shard)) heard.add(shard)
    },
    hearWoken(woken) {
      for (const { shard, dueFrom } of woken) {
        watermarks.woken(shard, dueFrom)
        if (owned.has(shard)) heard.add(shard)
      }
    },
    hearOf(some) {
      for (const one of some) if (owned.has(one.shard) && !due.learn(one)) heard.add(one.shard)
    },
    async claim(shards, count) {
      claiming = true
      const claims: Claim[] = []
      try {
        own(shards)
        const lookAgainMs = Math.max(wasFull ? lookWhileFullEveryMs : lookEveryMs, lookRestFactor * lookedMs)
        if (monotonicMs() - seenAllAtMs >= lookAgainMs) {
          seenAllAtMs = monotonicMs()
          lookedMs = 0
          for (const shard of shards) unseen.add(shard)
        }
        for (let looks = 0; looks < looksMax; looks += 1) {
          const free = count - claims.length
          let offers = offersFor(free)
          const shardsNow = shardsToLookAt(offers.reduce((sum, offer) => sum + offer.part, 0) >= free)
          if (shardsNow.length > 0) {
            await look(shardsNow, free)
            offers = offersFor(free)
          }
          if (offers.length > 0) claims.push(...(await take(offers, free)))
          const isAllSeen = heard.size === 0 && unseen.size === 0
          if (claims.length >= count || (isAllSeen && offers.length === 0)) return claims
          // What was found goes out at once, unless it was less than what was known had promised.
          if (claims.length > 0 && (isAllSeen || shardsNow.length > shardsPerFullClaim)) return claims
        }
        return claims
      } catch (error) {
        // What was claimed before the database failed is in flight here and nowhere else, so it goes out all the same.
        if (claims.length > 0) return claims
        throw error
      } finally {
        wasFull = claims.length >= count
        claiming = false
      }
    },
    msUntilAllowed: () => rateLimits.msUntilNext(waitForRate, monotonicMs()),
    busyShards: () => new Set([...(claiming ? owned : []), ...[...inFlight.keys()].map(shardOf)]),
    answered(claim, failureCode) {
      slowLane.answered(claim, claim.subscriptionId, attemptEnd(failureCode), monotonicMs())
    },
    holdBack(claim) {
      deciding.add(claim)
    },
    ended(claim) {
      const { subscriptionId, tenantId } = claim
      attempts -= 1
      deciding.delete(claim)
      const isSlow = slowLane.has(subscriptionId)
      slowLane.ended(claim, subscriptionId)
      countDown(inFlight, subscriptionId)
      countDown(inFlightOfTenants, tenantId)
      if (isSlow && slowWait) return true
      return due.get(subscriptionId) !== undefined && !waitForRate.has(subscriptionId)
    },
    free() {
      slowLane.look(monotonicMs())
      return slots + slowLane.lent - attempts
    },
  }
}

/** What a claim says of a subscription is newer than what a look said. */
function learnFrom(
  due: Due | undefined,
  now: { max_in_flight: number; rate_limit_per_second: number | null; ordered: boolean },
): void {
  if (due === undefined) return
  due.maxInFlight = now.max_in_flight
  due.ratePerSecond = now.rate_limit_per_second
  due.ordered = now.ordered
}

function attemptEnd(failureCode: FailureCode | null): AttemptEnd {
  if (failureCode === null) return 'accepted'
  return timeOuts.has(failureCode) ? 'timed_out' : 'refused'
}

/** One less of it. */
function countDown<Key>(counts: Map<Key, number>, key: Key): void {
  const left = (counts.get(key) ?? 1) - 1
  if (left > 0) counts.set(key, left)
  else counts.delete(key)
}
