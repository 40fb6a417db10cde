/**
 * The slow lane: subscriptions whose receivers hang share a part of the slots, so that the others keep the rest however
 * many hang and however long their time-outs are.
 *
 * An attempt is late when it has had no answer after `lateAfterMs`, or when it timed out before. Three late ones of a
 * subscription, without an event accepted in time between them, put it into the lane; the next event that is accepted in
 * time takes it out. That is a percentile of its answers without keeping them: a receiver that is late for one event in
 * ten is late three times in a row once in a thousand.
 *
 * An attempt is late while it is in flight already: whoever hangs is known after `lateAfterMs` and not after its
 * time-out. What the lane holds beyond its part at that moment is lent: the others get as many slots more, up to
 * `lentMax`, so that they have their three quarters again although those requests still hang.
 *
 * All of this is in memory of the dispatcher that owns the shard. A new owner finds out again.
 */
import type { Uuid } from '@posthorn/contract'

/** Late attempts in a row that put a subscription into the lane. */
const lateInARowMax = 3
/** The lane's part of the slots. */
const lanePart = 1 / 4
/** Slots lent at the most: so many, or as many again as there are. A hanging request costs a connection and some memory. */
const lentAtLeastMax = 1_000
/** A subscription that has not been late for so long is judged anew, in milliseconds. */
const forgottenAfterMs = 3_600_000

/** How an attempt ended: accepted, answered otherwise, or without an answer because its time was over. */
export type AttemptEnd = 'accepted' | 'refused' | 'timed_out'

export type SlowLane = {
  /** An attempt begins. `attempt` is any object that stands for it. */
  began(attempt: object, subscriptionId: Uuid, nowMs: number): void
  /** Its answer came, or its time was over. */
  answered(attempt: object, subscriptionId: Uuid, end: AttemptEnd, nowMs: number): void
  /** Its slot is free again. */
  ended(attempt: object, subscriptionId: Uuid): void
  /** Notes which attempts have become late. To be called before anything below is asked. */
  look(nowMs: number): void
  /** The subscriptions in the lane, the one that has waited longest for its turn first. */
  readonly subscriptions: readonly Uuid[]
  has(subscriptionId: Uuid): boolean
  /** Attempts that the lane may begin now. */
  readonly room: number
  /** Slots that the others get in place of those that the lane holds beyond its part. */
  readonly lent: number
}

type Lateness = { inARow: number; lastMs: number }

/**
 * @param inFlightOf attempts of a subscription that hold a slot now
 * @param onMove told when a subscription enters or leaves the lane
 */
export function createSlowLane(options: {
  slots: number
  lateAfterMs: number
  inFlightOf(subscriptionId: Uuid): number
  onMove(subscriptionId: Uuid, isSlow: boolean): void
}): SlowLane {
  const { slots, lateAfterMs, inFlightOf, onMove } = options
  const slotsMax = Math.max(1, Math.floor(slots * lanePart))
  const lentMax = Math.max(slots, lentAtLeastMax)
  /** Attempts that may become late, in the order in which they began. */
  const awaited = new Map<object, { subscriptionId: Uuid; beganMs: number }>()
  /** In the order in which it was last late. */
  const lateness = new Map<Uuid, Lateness>()
  /** In the order of turns. */
  const lane = new Set<Uuid>()
  let held = 0

  function noteLate(subscriptionId: Uuid, nowMs: number): void {
    const inARow = (lateness.get(subscriptionId)?.inARow ?? 0) + 1
    lateness.delete(subscriptionId)
    lateness.set(subscriptionId, { inARow, lastMs: nowMs })
    if (inARow < lateInARowMax || lane.has(subscriptionId)) return
    lane.add(subscriptionId)
    held += inFlightOf(subscriptionId)
    onMove(subscriptionId, true)
  }

  function forgive(subscriptionId: Uuid): void {
    lateness.delete(subscriptionId)
    if (!lane.delete(subscriptionId)) return
    held -= inFlightOf(subscriptionId)
    onMove(subscriptionId, false)
  }

  return {
    began(attempt, subscriptionId, nowMs) {
      awaited.set(attempt, { subscriptionId, beganMs: nowMs })
      if (!lane.delete(subscriptionId)) return
      lane.add(subscriptionId)
      held += 1
    },
    answered(attempt, subscriptionId, end, nowMs) {
      const awaitedSince = awaited.get(attempt)?.beganMs
      awaited.delete(attempt)
      // It was found to be late while it was in flight.
      if (awaitedSince === undefined) return
      if (end === 'timed_out' || nowMs - awaitedSince >= lateAfterMs) noteLate(subscriptionId, nowMs)
      else if (end === 'accepted') forgive(subscriptionId)
    },
    ended(attempt, subscriptionId) {
      awaited.delete(attempt)
      if (lane.has(subscriptionId)) held -= 1
    },
    look(nowMs) {
      for (const [attempt, { subscriptionId, beganMs }] of awaited) {
        if (nowMs - beganMs < lateAfterMs) break
        awaited.delete(attempt)
        noteLate(subscriptionId, nowMs)
      }
      for (const [subscriptionId, { lastMs }] of lateness) {
        if (nowMs - lastMs < forgottenAfterMs) break
        forgive(subscriptionId)
      }
    },
    get subscriptions() {
      return [...lane]
    },
    has: (subscriptionId) => lane.has(subscriptionId),
    get room() {
      return Math.max(0, slotsMax - held)
    },
    get lent() {
      return Math.min(lentMax, Math.max(0, held - slotsMax))
    },
  }
}
