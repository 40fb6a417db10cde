/**
 * Which shards this dispatcher works on. Each shard is one job of pg-boss that stays active, with a heartbeat, for as
 * long as a dispatcher owns it.
 *
 * A dispatcher takes its fair share (64 divided by the dispatchers alive), gives some back when others join, and when one
 * dies its jobs are taken: a few seconds after its sign of life has ended (see silence.ts), or, when its machine is gone
 * and nobody says so, after it has lost its heartbeat, within 10 s + 5 s + one round of the others. A shard is
 * given back when nothing of it is in flight any more, so that its next owner need not know how many requests a receiver
 * is busy with. Ownership decides only who looks where; that no delivery is claimed twice is the business of the lease.
 */
import type { Uuid } from '@posthorn/contract'
import {
  beatDispatcher,
  type Database,
  forgetDispatcher,
  forgetSilentDispatcher,
  type JobPayloads,
  type Jobs,
  noteShardJobs,
  shardCount,
  type Telemetry,
} from '@posthorn/engine'
import { createSilence } from './silence.ts'

const queue = 'dispatch-shard'
/** A dispatcher counts as alive if it was heard of within this time, in milliseconds. */
const aliveWithinMs = 15_000
/** Jobs are renewed long before pg-boss would end them (23 h), in milliseconds. */
const renewAfterMs = 6 * 3600 * 1000

type ShardJob = {
  id: string
  retryCount: number
  takenAtMs: number
  /** To be given back: nothing more is claimed in it. */
  leaving: boolean
}

export type Ownership = {
  /** The shards to claim in now, ascending. */
  shards(): readonly number[]
  owns(shard: number): boolean
  /**
   * One round: say that we are alive, keep what we have, give back what is too much, take what is free. Answers whether
   * the next one is due soon: some are still to be given back, because attempts are in flight in them, or another
   * dispatcher seems to have died.
   */
  round(): Promise<boolean>
  /** From now on the rounds take nothing, and give back what is idle. */
  leave(): void
  /** Gives every shard back at once, so that others need not wait for our heartbeat to stop. */
  release(): Promise<void>
}

/** @param monotonicMs a clock that never jumps */
export function createOwnership(parts: {
  db: Database
  jobs: Jobs
  telemetry: Telemetry
  dispatcherId: Uuid
  monotonicMs(): number
  /** The shards in which attempts are in flight, or may be because a claim is under way. */
  busyShards(): ReadonlySet<number>
}): Ownership {
  const { db, telemetry, monotonicMs } = parts
  const { boss } = parts.jobs
  const owned = new Map<number, ShardJob>()
  const silence = createSilence(db.pool, parts.dispatcherId, monotonicMs)
  let shards: readonly number[] = []
  let noted: string | undefined
  let isLeaving = false

  function settle(): void {
    const now = [...owned].flatMap(([shard, job]) => (job.leaving ? [] : [shard])).sort((a, b) => a - b)
    if (now.join() === shards.join()) return
    shards = now
    telemetry({ what: 'shards_owned', shards })
  }

  /** Frees the shards of those who have died. Of two who find one dead, one gets to do it. */
  async function bury(): Promise<void> {
    for (const dead of await silence.lasting()) {
      const left = await forgetSilentDispatcher(db.pool, dead)
      if (left.length > 0) await boss.deleteJob(queue, [...left])
    }
  }

  /** Says which jobs others may take when we are dead. What is not said in time is found by its heartbeat. */
  async function note(): Promise<void> {
    const jobs = [...owned.values()].map(({ id }) => id).sort()
    if (isLeaving || jobs.join() === noted) return
    await noteShardJobs(db.pool, parts.dispatcherId, jobs)
    noted = jobs.join()
  }

  /** How many shards are ours to have. */
  async function fairShare(): Promise<number> {
    if (!isLeaving) return Math.ceil(shardCount / (await beatDispatcher(db.pool, parts.dispatcherId, aliveWithinMs)))
    await forgetDispatcher(db.pool, parts.dispatcherId)
    return 0
  }

  async function keep(): Promise<void> {
    if (owned.size === 0) return
    const held = await boss.touch(queue, [...owned.values()])
    const alive = new Set(settledIds(held))
    for (const [shard, job] of owned) if (!alive.has(job.id)) owned.delete(shard)
  }

  function isOld(job: ShardJob): boolean {
    return monotonicMs() - job.takenAtMs > renewAfterMs
  }

  /** Chooses the shards that stay: the busy ones, as far as possible, because the others can go at once. */
  function choose(share: number): void {
    const busy = parts.busyShards()
    const young = [...owned].filter(([, job]) => !isOld(job))
    const staying = [...young.filter(([shard]) => busy.has(shard)), ...young.filter(([shard]) => !busy.has(shard))]
    for (const job of owned.values()) job.leaving = true
    for (const [, job] of staying.slice(0, share)) job.leaving = false
    settle()
  }

  /** Gives back what is leaving and idle; also what is busy but too old to wait. */
  async function letGo(): Promise<void> {
    const busy = parts.busyShards()
    await giveBack([...owned].filter(([shard, job]) => job.leaving && (!busy.has(shard) || isOld(job))))
  }

  async function giveBack(surplus: readonly (readonly [number, ShardJob])[]): Promise<void> {
    if (surplus.length === 0) return
    for (const [shard] of surplus) owned.delete(shard)
    settle()
    await boss.deleteJob(
      queue,
      surplus.map(([, job]) => job),
    )
    await offer(surplus.map(([shard]) => shard))
  }

  /** Puts jobs for shards that have none. Those that have one are left alone: the queue holds one job a shard. */
  async function offer(wanted: readonly number[]): Promise<void> {
    await boss.insert(
      queue,
      wanted.map((shard) => ({ data: { shard }, singletonKey: String(shard) })),
    )
  }

  async function take(count: number): Promise<void> {
    const jobs = await boss.fetch<JobPayloads['dispatch-shard']>(queue, { batchSize: count })
    for (const job of jobs)
      owned.set(job.data.shard, { id: job.id, retryCount: job.retryCount, takenAtMs: monotonicMs(), leaving: false })
  }

  return {
    shards: () => shards,
    owns: (shard) => owned.get(shard)?.leaving === false,
    async round() {
      if (!isLeaving) await bury()
      const share = await fairShare()
      await keep()
      choose(share)
      await letGo()
      if (owned.size < share) {
        await offer(Array.from({ length: shardCount }, (_, shard) => shard))
        await take(share - owned.size)
      }
      settle()
      await note()
      return silence.begun || [...owned.values()].some((job) => job.leaving)
    },
    leave() {
      isLeaving = true
    },
    async release() {
      await forgetDispatcher(db.pool, parts.dispatcherId)
      await giveBack([...owned])
    },
  }
}

/** The ids that pg-boss says it has touched. Its types do not show the field. */
function settledIds(response: object): readonly string[] {
  const ids = 'settled' in response && Array.isArray(response.settled) ? response.settled : []
  return ids.filter((id) => typeof id === 'string')
}
