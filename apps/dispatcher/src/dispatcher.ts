/**
 * The dispatcher: claims due deliveries of the shards it owns, makes their attempts and records them, for as long as it
 * lives.
 *
 * Seven rounds go on side by side. *Ownership* keeps a fair share of the shards. *Waking* makes due what has become due.
 * *Telling* publishes what the operator is to be told, *emptying* what others wrote into the outbox. *Feeding* feeds the
 * replays that run. *Testing* makes the tests and receiver checks that somebody waits for. *Claiming* takes due deliveries in
 * turns and sets each off; there is no barrier between them, so a receiver that is slow holds its own slot and nothing
 * else. A slot is held until the attempt is recorded.
 *
 * To stop is to drain: nothing more is claimed, what is in flight ends and is recorded, and each shard is given back as
 * soon as nothing is in flight in it. After `drainMs` what is still in flight is broken off and recorded as `aborted`, to
 * be made again by another dispatcher.
 */
import type { Uuid } from '@posthorn/contract'
import {
  type AttemptMeans,
  auditRetentionDaysDefault,
  type Claim,
  createKeyRing,
  createPublisher,
  createReplaying,
  createStreamTeller,
  type Database,
  type DueWork,
  giveBack,
  hasOutboxEvents,
  hasSystemEvents,
  type JobName,
  type JobPayloads,
  type Jobs,
  listenForWork,
  newUuid,
  type Publisher,
  publishOutbox,
  publishSystemEvents,
  type Retention,
  requestHolding,
  retentionDaysDefault,
  type Seal,
  type Telemetry,
  type Transforms,
  transaction,
  type World,
  wakeDeliveries,
} from '@posthorn/engine'
import type { PgBoss } from 'pg-boss'
import { createHealthWatch } from './breaker.ts'
import { createTurns } from './claiming.ts'
import { type DeliveringParts, deliver } from './delivering.ts'
import { type PassFailpoint, passAll } from './failpoints.ts'
import { keepRetention } from './handlers/apply-retention.ts'
import { erase } from './handlers/erase.ts'
import { holdDeliveries } from './handlers/hold-deliveries.ts'
import { judgeHealth } from './handlers/judge-subscriptions.ts'
import { makePartitions } from './handlers/make-partitions.ts'
import { releaseDeliveries } from './handlers/release-deliveries.ts'
import { rollUpAttempts } from './handlers/roll-up-attempts.ts'
import { sweepBacklog } from './handlers/sweep-backlog.ts'
import type { Sender } from './http/send.ts'
import { createTlsIdentities } from './http/tls-identities.ts'
import { createRecorder } from './recording.ts'
import { createReplayTargets } from './replay-targets.ts'
import { startRounds } from './rounds.ts'
import { createOwnership } from './shard-ownership.ts'
import { createTestRound } from './testing-round.ts'
import { createTokens } from './tokens.ts'

/** The longest that due work waits to be found without a hint, in milliseconds. */
const lookEveryMs = 250
/** Heartbeats are due every 10 s; a round that fails is tried again before that. */
const ownershipEveryMs = 2_000
/** While shards wait to be given back, or to be taken from a dispatcher that seems to be dead, in milliseconds. */
const handoverEveryMs = 250
const pauseAfterFailureMs = 500
/** How often it is looked for tests of subscriptions, for which somebody waits, in milliseconds. */
const testEveryMs = 300
/** How often it is looked for what the operator is to be told, beside when something was recorded, in milliseconds. */
const tellEveryMs = 2_000
/** How often it is looked for replays that run; and for how their items end, while there is one, in milliseconds. */
const replayEveryMs = 1_000
const replayBusyEveryMs = 25
/** Rows made due by one statement: a million overdue ones come in portions. */
const wokenPerRoundMax = 5_000
/** A claim asks for at least this part of all slots, unless that many do not get free within `gatherMs`. */
const claimPart = 1 / 3
const gatherMs = 5
/** How often the rare jobs are looked for, in seconds. */
const jobsEverySeconds = 2
/** An attempt without an answer for so long is late, in milliseconds. */
const lateAfterMsDefault = 2_000
/** The shortest pause until a rate limit allows more: what comes due within it is claimed together, in milliseconds. */
const rateGatherMs = 25
/** Recording is given this long after the last attempt was broken off, in milliseconds. */
const lastRecordingMs = 2_000

export type DispatcherParts = {
  db: Database
  jobs: Jobs
  /** They open the secrets to sign with. */
  seal: Seal
  sender: Sender
  world: World
  telemetry: Telemetry
  /** Publishes what is in the outbox: the one of this process, so that the order of its events is one. */
  publisher: Publisher
  means: AttemptMeans
  /** They make what is sent to subscriptions that have one. */
  transforms: Transforms
  /** Attempts in flight at once. */
  concurrency: number
  /** Who is told what happens to the others' subscriptions. */
  operatorTenant: string
  /** How long nothing but failure is put up with, in milliseconds. */
  disableAfterMs: number
  /** How long things are kept; the defaults of the settings when left out. */
  retention?: Retention
  /** How long `stop` waits for attempts in flight, in milliseconds. */
  drainMs: number
  /** How long an attempt may be without an answer before it counts as late (see slow-lane.ts), in milliseconds; 2 s when left out. */
  lateAfterMs?: number
  /** For tests that end the process at a certain place (see failpoints.ts). */
  failpoint?: PassFailpoint
}

export type Dispatcher = {
  /**
   * A hint that shards have work, and of which subscriptions if all of it is known. Answers with the shards that are not
   * ours, for others to be told.
   */
  wake(shards: Iterable<number>, due?: readonly DueWork[]): number[]
  /** Drains and ends. Resolves when nothing of it runs any more; calling it again changes nothing. */
  stop(): Promise<void>
}

/** Starts a dispatcher. It begins to deliver as soon as it owns a shard. */
export async function startDispatcher(parts: DispatcherParts): Promise<Dispatcher> {
  const { db, jobs, telemetry, world, failpoint = passAll } = parts
  const giveUp = new AbortController()
  const breakOff = new AbortController()
  const monotonicMs = () => performance.now()
  const lateAfterMs = parts.lateAfterMs ?? lateAfterMsDefault
  const turns = createTurns({
    db,
    world,
    slots: parts.concurrency,
    lateAfterMs,
    monotonicMs,
    telemetry,
  })
  const stream = createStreamTeller(db, monotonicMs)
  const recorder = createRecorder({ ...parts, recorded: stream.tell }, giveUp.signal, failpoint)
  const holdWork = (subscriptionId: Uuid) => transaction(db, (tx) => requestHolding(tx, jobs, subscriptionId))
  const { sender, means, transforms } = parts
  const { answered } = turns
  const keyOf = createKeyRing(parts.seal)
  const trust = { tokens: createTokens(sender, monotonicMs), identities: createTlsIdentities(), monotonicMs }
  const dispatcherId = newUuid(world)
  const healthWatch = createHealthWatch()
  const delivering: DeliveringParts = {
    sender, recorder, keyOf, means, transforms, world, telemetry, holdWork, answered, failpoint, ...trust,
    judgeHealth(claim, failureCode) {
      const change = healthWatch.judge(claim, failureCode, monotonicMs())
      if (change?.breaker) {
        tellBreaker(claim.subscriptionId, change.breaker.becomes)
        // It is open when this attempt is recorded; what is claimed until then would be spent on it.
        if (change.breaker.becomes === 'open') turns.holdBack(claim)
      }
      return change
    },
    mayBeTold: () => telling.hurry(),
  } // biome-ignore format: what is used, then what is told
  const targets = createReplayTargets({ ...delivering, db, newId: () => newUuid(world) }, breakOff.signal)
  const replaying = createReplaying(db, targets.feed)
  const systemPublisher = createPublisher({
    db,
    world,
    checkSchema: async () => [],
    createEventTypes: false,
    reserved: true,
    onWork: (shards, due) => wake(shards, due),
  })
  const ownership = createOwnership({
    db,
    jobs,
    telemetry,
    dispatcherId,
    monotonicMs,
    busyShards: turns.busyShards,
  })
  const inFlight = new Set<Promise<void>>()
  let draining = false
  let slotFreed = (): void => undefined

  async function claimRound(): Promise<number> {
    const free = await freeSlots()
    // Read last: while the slots were filled, shards may have been given to others.
    const shards = ownership.shards()
    if (draining || shards.length === 0) return lookEveryMs
    failpoint('before_claim')
    const claims = await turns.claim(shards, free)
    if (claims.length > 0) failpoint('after_claim')
    // The drain may have begun while the claim was under way; what was not sent is given back untouched.
    if (draining) {
      await handBack(claims)
      return lookEveryMs
    }
    if (claims.length > 0) telemetry({ what: 'deliveries_claimed', count: claims.length })
    for (const claim of claims) setOff(claim)
    return claims.length > 0 ? 0 : Math.min(lookEveryMs, Math.max(rateGatherMs, turns.msUntilAllowed()))
  }

  /** Waits until a slot is free, and a moment longer for more of them: claims are cheaper together. */
  async function freeSlots(): Promise<number> {
    const enough = Math.ceil(parts.concurrency * claimPart)
    if (turns.free() <= 0) {
      // Slots get free when attempts end, and also when the slow lane is found to hold more than its part.
      const watch = setInterval(() => slotFreed(), lookEveryMs)
      while (!draining && turns.free() <= 0) await slot()
      clearInterval(watch)
    }
    if (turns.free() < enough) {
      const deadline = new Promise<void>((resolve) => setTimeout(resolve, gatherMs))
      let late = false
      void deadline.then(() => (late = true))
      while (!late && turns.free() < enough) await Promise.race([slot(), deadline])
    }
    return turns.free()
  }

  function slot(): Promise<void> {
    return new Promise((resolve) => (slotFreed = resolve))
  }

  function setOff(claim: Claim): void {
    const delivery = deliver(delivering, claim, breakOff.signal)
      // Unrecorded, so its lease runs out and it is made again.
      .catch((error: unknown) => telemetry({ what: 'delivery_fault', deliveryId: claim.deliveryId, error }))
      .finally(() => {
        inFlight.delete(delivery)
        const more = turns.ended(claim)
        slotFreed()
        if (more) claiming.hurry()
      })
    inFlight.add(delivery)
  }

  async function handBack(claims: readonly Claim[]): Promise<void> {
    if (claims.length > 0) await giveBack(db.pool, claims)
    for (const claim of claims) turns.ended(claim)
  }

  async function wakeRound(): Promise<number> {
    // After a long outage of the database the leases of what this process made and could not record are over.
    if (recorder.isBehind()) return lookEveryMs
    const woken = await wakeDeliveries(db.pool, ownership.shards(), wokenPerRoundMax)
    const count = woken.reduce((sum, row) => sum + row.woken, 0)
    if (count === 0) return lookEveryMs
    telemetry({ what: 'deliveries_woken', count })
    turns.hearWoken(woken.map((row) => ({ shard: row.shard, dueFrom: row.due_from })))
    claiming.hurry()
    return count === wokenPerRoundMax ? 0 : lookEveryMs
  }

  async function tellRound(): Promise<number> {
    if (!(await hasSystemEvents(db.pool))) return tellEveryMs
    const { operatorTenant } = parts
    const count = await publishSystemEvents({ db, publisher: systemPublisher, operatorTenant })
    if (count === 0) return tellEveryMs
    telemetry({ what: 'system_events_published', count })
    return 0
  }

  async function emptyRound(): Promise<number> {
    if (!(await hasOutboxEvents(db.pool))) return lookEveryMs
    return (await publishOutbox({ db, publisher: parts.publisher, telemetry })) > 0 ? 0 : lookEveryMs
  }

  async function replayRound(): Promise<number> {
    const { busy, fed, skipped, settled, shards, finished } = await replaying.step()
    if (fed + skipped + settled + finished.length > 0) {
      telemetry({ what: 'replays_fed', fed, skipped, settled, finished: finished.length })
    }
    // Others' shards too: their owners find the work within a quarter of a second.
    if (shards.length > 0) wake(new Set(shards))
    return busy ? replayBusyEveryMs : replayEveryMs
  }

  function tellBreaker(subscriptionId: Uuid, becomes: 'open' | 'still_open' | 'closed'): void {
    if (becomes === 'still_open') return
    telemetry({ what: becomes === 'open' ? 'breaker_opened' : 'breaker_closed', subscriptionId })
  }

  async function ownershipRound(): Promise<number> {
    const before = ownership.shards()
    const soon = await ownership.round()
    if (ownership.shards() !== before) {
      claiming.hurry()
      waking.hurry()
    }
    return soon ? handoverEveryMs : ownershipEveryMs
  }

  function wake(heard: Iterable<number>, due?: readonly DueWork[]): number[] {
    const shards = [...heard]
    const foreign: number[] = []
    let ours = false
    for (const shard of shards) {
      if (ownership.owns(shard)) ours = true
      else foreign.push(shard)
    }
    if (ours) {
      if (due === undefined) turns.hear(shards)
      else turns.hearOf(due)
      claiming.hurry()
    }
    return foreign
  }

  const tests = createTestRound({ ...delivering, db, lateAfterMs }, breakOff.signal)
  const testRound = async () => ((await tests.round()) ? 0 : testEveryMs)

  const rounds = { telemetry, pauseAfterFailureMs }
  const claiming = startRounds('claim', claimRound, rounds)
  const waking = startRounds('wake', wakeRound, rounds)
  const owning = startRounds('own shards', ownershipRound, rounds)
  const telling = startRounds('tell the operator', tellRound, rounds)
  const emptying = startRounds('empty the outbox', emptyRound, rounds)
  const feeding = startRounds('feed replays', replayRound, rounds)
  const testing = startRounds('test subscriptions', testRound, rounds)
  const hints = listenForWork(db, wake, dispatcherId, stream.asked, emptying.hurry)
  const stopJobs = await workJobs(parts, jobs.boss)

  async function drain(): Promise<void> {
    draining = true
    tests.drain()
    slotFreed()
    const rareJobs = stopJobs()
    const all = [claiming, waking, telling, emptying, feeding, testing]
    await Promise.all(all.map((round) => round.stop()))
    ownership.leave()
    owning.hurry()
    await Promise.race([Promise.all([...inFlight, targets.idle(), tests.ended(), rareJobs]), after(parts.drainMs)])
    breakOff.abort()
    await Promise.race([Promise.all([...inFlight, targets.idle(), tests.ended()]), after(lastRecordingMs)])
    giveUp.abort()
    telemetry({ what: 'dispatcher_stopped', unfinished: inFlight.size })
    await owning.stop()
    await Promise.all([
      ownership
        .release()
        .catch((error: unknown) => telemetry({ what: 'round_failed', round: 'release shards', error })),
      hints[Symbol.asyncDispose](),
    ])
  }

  let drained: Promise<void> | undefined
  return {
    wake,
    stop() {
      drained ??= drain()
      return drained
    },
  }
}

/** The rare jobs, one handler each. Answers with what ends them, which resolves when none runs any more. */
async function workJobs(parts: DispatcherParts, boss: PgBoss): Promise<() => Promise<void>> {
  const { db, jobs, telemetry, world } = parts
  const worked: JobName[] = []
  async function work<Name extends JobName>(
    name: Name,
    handle: (payload: JobPayloads[Name]) => Promise<void>,
  ): Promise<void> {
    worked.push(name)
    await boss.work<JobPayloads[Name]>(name, { pollingIntervalSeconds: jobsEverySeconds }, async (batch) => {
      for (const job of batch) await handle(job.data)
    })
  }
  await work('hold-deliveries', (payload) => holdDeliveries({ db, jobs, telemetry }, payload))
  await work('release-deliveries', (payload) => releaseDeliveries({ db, jobs, telemetry }, payload))
  await work('sweep-backlog', () => sweepBacklog(db, telemetry))
  await work('judge-subscriptions', () => judgeHealth(parts))
  await work('make-partitions', () => makePartitions(db, new Date(world.now())))
  const monotonicMs = () => performance.now()
  await work('erase', () => erase({ db, telemetry, monotonicMs }))
  const retention = parts.retention ?? {
    retentionDays: retentionDaysDefault,
    auditRetentionDays: auditRetentionDaysDefault,
  }
  await work('apply-retention', () => keepRetention({ db, telemetry, retention, monotonicMs }, world.now()))
  await work('roll-up-attempts', () => rollUpAttempts(db, telemetry, new Date(world.now())))
  return async () => {
    await Promise.all(worked.map((name) => boss.offWork(name)))
  }
}

/** A pause that does not keep the process alive. */
function after(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref())
}
