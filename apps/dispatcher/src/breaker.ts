/**
 * Watches how the receivers of subscriptions do, attempt by attempt: when a circuit breaker opens and closes, and when
 * failing begins and ends. What it answers is recorded with the attempt; only changes are.
 *
 * A breaker opens when at least `errorPart` of at least `attemptsMin` attempts in the last five minutes failed, or when
 * `unreachableInARowMax` in a row did not even get an answer. The claim then holds the subscription's work back, which
 * spends no attempt, but for one delivery, the probe, after 30 s; when that fails the pause doubles, up to five minutes,
 * and when one is accepted the breaker closes. Whether it is open stands in the database, where a new owner of the shard
 * finds it; what is counted here begins anew with each owner.
 *
 * Only the schedule's own attempts count. One that a person asked for says nothing of the subscription's health, for
 * better or worse: somebody who tries again and again must neither disable nor heal it. Nor do our own faults.
 */
import type { FailureCode, Uuid } from '@posthorn/contract'
import { type Claim, type HealthChange, isOurFault, isUnreachable } from '@posthorn/engine'

/** A breaker opens at this part of failures, of so many attempts at least. */
const errorPart = 0.7
const attemptsMin = 20
/** Or at so many in a row that got no answer. */
const unreachableInARowMax = 20
/** Failures before the receiver was asked anything. */
const unasked: ReadonlySet<FailureCode> = new Set(['blocked_address', 'transform_failed', 'auth_failed'])
/**
 * Failures that open no breaker: a receiver that asks for patience is there, and has the pause that it asked for; and a
 * transform that fails for some events says nothing of the others.
 */
const uncounted: ReadonlySet<FailureCode> = new Set(['http_429', 'transform_failed'])
/** The window rolls on in pieces, in milliseconds. */
const pieceMs = 30_000
const pieces = 10
/** The pause before the first probe, which doubles up to the longest one, in milliseconds. */
const firstProbeMs = 30_000
const probeMsMax = 300_000
/** Attempts that were in flight when a breaker opened have ended by then, in milliseconds. */
const leftoversMs = 60_000
/** Without attempts for so long, a subscription is forgotten: its window is empty, and only a row of failures is worth more. */
const windowMs = pieces * pieceMs
const forgottenAfterMs = 3_600_000

export type HealthWatch = {
  /** What an attempt that has ended changes in the health of its subscription; null for nothing. */
  judge(
    claim: Pick<Claim, 'subscriptionId' | 'trigger' | 'ailing' | 'failedProbes'>,
    failureCode: FailureCode | null,
    nowMs: number,
  ): HealthChange | null
}

type Watched = {
  /** Attempts and failures in each piece of the window; the last one begins at `pieceMs × piece`. */
  attempts: Uint32Array
  failures: Uint32Array
  piece: number
  unreachableInARow: number
  /** The last attempt that counted failed. */
  failing: boolean
  /** When the breaker was opened here; infinitely long ago when it was not. */
  openedMs: number
  lastMs: number
}

export function createHealthWatch(): HealthWatch {
  /** In the order of their last attempts. */
  const watched = new Map<Uuid, Watched>()
  let forgotMs = Number.NEGATIVE_INFINITY

  function look(subscriptionId: Uuid, nowMs: number): Watched {
    const one = watched.get(subscriptionId) ?? newlyWatched()
    watched.delete(subscriptionId)
    watched.set(subscriptionId, one)
    rollOn(one, Math.floor(nowMs / pieceMs))
    one.lastMs = nowMs
    return one
  }

  function forget(nowMs: number): void {
    if (nowMs - forgotMs < pieceMs) return
    forgotMs = nowMs
    for (const [id, one] of watched) {
      const idleMs = nowMs - one.lastMs
      if (idleMs < windowMs) break
      if (one.unreachableInARow === 0 || idleMs >= forgottenAfterMs) watched.delete(id)
    }
  }

  function accepted(one: Watched, claim: Pick<Claim, 'ailing' | 'failedProbes'>, nowMs: number): HealthChange {
    const change: HealthChange = {}
    if (claim.ailing !== null || one.failing) change.failing = 'ends'
    // One that was in flight already when the breaker opened shows as well that the receiver is there.
    if (claim.failedProbes !== null || nowMs - one.openedMs < leftoversMs) {
      change.breaker = { becomes: 'closed' }
      beginAnew(one)
    }
    one.failing = false
    one.unreachableInARow = 0
    one.openedMs = Number.NEGATIVE_INFINITY
    count(one, 'attempts')
    return change
  }

  function failed(
    one: Watched,
    claim: Pick<Claim, 'ailing' | 'failedProbes'>,
    failureCode: FailureCode,
    nowMs: number,
  ): HealthChange {
    const change: HealthChange = {}
    if (claim.ailing !== 'failing') change.failing = 'begins'
    one.failing = true
    if (claim.failedProbes !== null) {
      const failedProbes = claim.failedProbes + 1
      change.breaker = { becomes: 'still_open', probeInMs: probeInMs(failedProbes), failedProbes }
      one.openedMs = nowMs
      return change
    }
    if (nowMs - one.openedMs < leftoversMs) return change
    if (isUnreachable(failureCode)) one.unreachableInARow += 1
    else if (!unasked.has(failureCode)) one.unreachableInARow = 0
    if (uncounted.has(failureCode)) return change
    count(one, 'attempts')
    count(one, 'failures')
    if (one.unreachableInARow < unreachableInARowMax && !isMostlyFailing(one)) return change
    change.breaker = { becomes: 'open', probeInMs: probeInMs(0) }
    beginAnew(one)
    one.openedMs = nowMs
    return change
  }

  return {
    judge(claim, failureCode, nowMs) {
      forget(nowMs)
      if (claim.trigger !== 'automatic' || (failureCode !== null && isOurFault(failureCode))) return null
      const one = look(claim.subscriptionId, nowMs)
      const change = failureCode === null ? accepted(one, claim, nowMs) : failed(one, claim, failureCode, nowMs)
      return change.failing === undefined && change.breaker === undefined ? null : change
    },
  }
}

function probeInMs(failedProbes: number): number {
  return Math.min(probeMsMax, firstProbeMs * 2 ** failedProbes)
}

function newlyWatched(): Watched {
  return {
    attempts: new Uint32Array(pieces),
    failures: new Uint32Array(pieces),
    piece: 0,
    unreachableInARow: 0,
    failing: false,
    openedMs: Number.NEGATIVE_INFINITY,
    lastMs: 0,
  }
}

/** Empties the pieces between the last attempt and now. */
function rollOn(one: Watched, piece: number): void {
  const from = Math.max(one.piece + 1, piece - pieces + 1)
  for (let passed = from; passed <= piece; passed += 1) {
    one.attempts[passed % pieces] = 0
    one.failures[passed % pieces] = 0
  }
  one.piece = piece
}

function count(one: Watched, what: 'attempts' | 'failures'): void {
  const index = one.piece % pieces
  one[what][index] = (one[what][index] ?? 0) + 1
}

function isMostlyFailing({ attempts, failures }: Watched): boolean {
  const [all, bad] = [attempts, failures].map((counts) => counts.reduce((sum, value) => sum + value, 0))
  return all !== undefined && bad !== undefined && all >= attemptsMin && bad >= all * errorPart
}

function beginAnew(one: Watched): void {
  one.attempts.fill(0)
  one.failures.fill(0)
  one.unreachableInARow = 0
}
