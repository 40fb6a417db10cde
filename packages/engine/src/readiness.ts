/**
 * What a process needs in order to work, looked at now. Each check says one thing and takes one query.
 */
import type { Database } from './db/database.ts'
import { pendingMigrations } from './db/migrate.ts'
import { partitionsReadyUntil } from './db/partitions.ts'
import { ping } from './db/sql/ping.ts'
import { selectHeartbeatAge } from './db/sql/select-heartbeat-age.ts'
import { selectQueueCount } from './db/sql/select-queue-count.ts'
import { queues } from './jobs.ts'
import type { World } from './world.ts'

/** A dispatcher that has not been heard of for so long does not live, in milliseconds. */
const heartbeatMsMax = 15_000

export type CheckOutcome = { ok: boolean; detail?: string }

export type ReadinessCheck = {
  name: string
  /** Whether nothing works without it. Events are accepted and kept without a dispatcher. */
  required: boolean
  /** A check that throws has failed. */
  look(): Promise<CheckOutcome>
}

/** The checks of a process that serves the API. */
export function readinessChecks({ db, world }: { db: Database; world: World }): ReadinessCheck[] {
  return [
    { name: 'database', required: true, look: () => ping(db.pool).then(() => ({ ok: true })) },
    { name: 'migrations', required: true, look: () => lookAtMigrations(db) },
    { name: 'partitions', required: true, look: () => lookAtPartitions(db, new Date(world.now())) },
    { name: 'queue', required: true, look: () => lookAtQueue(db) },
    { name: 'dispatcher', required: false, look: () => lookAtDispatcher(db) },
  ]
}

async function lookAtMigrations(db: Database): Promise<CheckOutcome> {
  const pending = await pendingMigrations(db.pool)
  return pending.length === 0 ? { ok: true } : { ok: false, detail: `${pending.length} are pending: posthorn migrate` }
}

async function lookAtPartitions(db: Database, now: Date): Promise<CheckOutcome> {
  const until = await partitionsReadyUntil(db.pool, now)
  return { ok: until > now, detail: `until ${until.toISOString().slice(0, 10)}` }
}

async function lookAtQueue(db: Database): Promise<CheckOutcome> {
  const wanted = Object.keys(queues)
  const count = await selectQueueCount(db.pool, wanted)
  return count === wanted.length ? { ok: true } : { ok: false, detail: `${wanted.length - count} queues are missing` }
}

async function lookAtDispatcher(db: Database): Promise<CheckOutcome> {
  const ageMs = await selectHeartbeatAge(db.pool)
  if (ageMs === undefined) return { ok: false, detail: 'none has been seen' }
  return { ok: ageMs <= heartbeatMsMax, detail: `last heard of ${(Math.max(0, ageMs) / 1000).toFixed(1)} s ago` }
}
