/**
 * Which shards this dispatcher works on. Each shard is one job of pg-boss that stays active, with a heartbeat, for as
 * long as a dispatcher owns it.
 *
 * A dispatcher takes its fair share (64 divided by the dispatchers alive), gives some back when others join, and when one
 * dies its jobs lose their heartbeat and are there to be taken: within 10 s + 5 s + one round of the others. Ownership
 * decides only who looks where; that no delivery is claimed twice is the business of the lease.
 */
import type { Uuid } from '@posthorn/contract'
import {
  beatDispatcher,
  type Database,
  forgetDispatcher,
  type JobPayloads,
  type Jobs,
  shardCount,
  type Telemetry,
} from '@posthorn/engine'

const queue = 'dispatch-shard'
/** A dispatcher counts as alive if it was heard of within this time, in milliseconds. */
const aliveWithinMs = 15_000
/** Jobs are renewed long before pg-boss would end them (23 h), in milliseconds. */
const renewAfterMs = 6 * 3600 * 1000

type ShardJob = { id: string; retryCount: number; takenAtMs: number }

export type Ownership = {
  /** The shards owned now, ascending. */
  shards(): readonly number[]
  owns(shard: number): boolean
  /** One round: say that we are alive, keep what we have, give back what is too much, take what is free. */
  round(): Promise<void>
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
}): Ownership {
  const { db, telemetry, monotonicMs } = parts
  const { boss } = parts.jobs
  const owned = new Map<number, ShardJob>()
  let shards: readonly number[] = []

  function settle(): void {
    const now = [...owned.keys()].sort((a, b) => a - b)
    if (now.join() === shards.join()) return
    shards = now
    telemetry({ what: 'shards_owned', shards })
  }

  async function keep(): Promise<void> {
    if (owned.size === 0) return
    const held = await boss.touch(queue, [...owned.values()])
    const alive = new Set(settledIds(held))
    for (const [shard, job] of owned) if (!alive.has(job.id)) owned.delete(shard)
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
      owned.set(job.data.shard, { id: job.id, retryCount: job.retryCount, takenAtMs: monotonicMs() })
  }

  return {
    shards: () => shards,
    owns: (shard) => owned.has(shard),
    async round() {
      const alive = await beatDispatcher(db.pool, parts.dispatcherId, aliveWithinMs)
      await keep()
      const share = Math.ceil(shardCount / alive)
      const jobs = [...owned]
      const old = jobs.filter(([, job]) => monotonicMs() - job.takenAtMs > renewAfterMs)
      await giveBack([...new Set([...old, ...jobs.slice(share)])])
      if (owned.size < share) {
        await offer(Array.from({ length: shardCount }, (_, shard) => shard))
        await take(share - owned.size)
      }
      settle()
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
