/**
 * The queue of background work, on pg-boss: every kind of job, what it carries and how it behaves.
 *
 * Deliveries are not jobs (the table `backlog` holds them). Jobs decide which dispatcher works on which shard and do the
 * slow, rare things: holding and releasing the deliveries of a subscription, making partitions, sweeping up.
 * A job that belongs to a change is sent in the change's own transaction.
 */
import type { Uuid } from '@posthorn/contract'
import { fromPrisma, PgBoss, type Queue } from 'pg-boss'
import type { Tx } from './db/transaction.ts'

/** pg-boss's tables live in a schema of their own. */
const jobsSchema = 'pgboss'
/** Connections of a process for jobs. Shard ownership and the rare jobs share them. */
const jobsPoolSize = 3
/** A connection whose answer is overdue by this limit is given up, in milliseconds: a shard is lost after ten seconds. */
const answerTimeoutMs = 10_000
/** A dispatcher that has not been heard of for so long has lost its shards, in seconds (pg-boss's smallest). */
const shardHeartbeatSeconds = 10
/** How often lost heartbeats are looked for, in seconds. With the heartbeat it bounds the takeover of a dead dispatcher's shards. */
const superviseSeconds = 5

/** What a job of each kind carries. */
export type JobPayloads = {
  /** Ownership of one shard: active for as long as a dispatcher works on it. */
  'dispatch-shard': { shard: number }
  /** Takes the work of a paused, disabled or deleted subscription out of the backlog, and does so `again` a little later. */
  'hold-deliveries': { subscription_id: Uuid; again?: boolean }
  /** Puts held deliveries back into the backlog, or cancels them; once more a little later, for `last`. */
  'release-deliveries': { subscription_id: Uuid; backfill: 'held' | 'none'; before?: Uuid; last: boolean }
  /** Holds whatever came in while a subscription was being paused, disabled or deleted, and ends what has had its time. */
  'sweep-backlog': Record<string, never>
  /** Disables subscriptions that have failed for too long, and tells of those that come near it. */
  'judge-subscriptions': Record<string, never>
  /** Makes the partitions of the days ahead. */
  'make-partitions': Record<string, never>
  /** Works on the erasures that are running. */
  erase: Record<string, never>
  /** Drops what is older than it is kept. */
  'apply-retention': Record<string, never>
  /** Makes hours of the rollups of old minutes, and ends those of old hours. */
  'roll-up-attempts': Record<string, never>
}
export type JobName = keyof JobPayloads

export const queues: Readonly<Record<JobName, Omit<Queue, 'name'>>> = {
  'dispatch-shard': {
    policy: 'exclusive', // (name, shard): one job a shard, waiting or owned
    heartbeatSeconds: shardHeartbeatSeconds,
    expireInSeconds: 23 * 3600, // pg-boss allows less than 24 h; owners renew well before
    retryLimit: 1_000_000,
    deleteAfterSeconds: 60,
  },
  'hold-deliveries': {
    policy: 'stately',
    retryLimit: 20,
    retryDelay: 1,
    retryBackoff: true,
    retryDelayMax: 60,
    deleteAfterSeconds: 3600,
  },
  'release-deliveries': {
    policy: 'stately',
    retryLimit: 20,
    retryDelay: 1,
    retryBackoff: true,
    retryDelayMax: 60,
    deleteAfterSeconds: 3600,
  },
  'sweep-backlog': { policy: 'exclusive', retryLimit: 0, deleteAfterSeconds: 3600 },
  'judge-subscriptions': { policy: 'exclusive', retryLimit: 0, deleteAfterSeconds: 3600 },
  'make-partitions': { policy: 'exclusive', retryLimit: 5, retryDelay: 10, deleteAfterSeconds: 3600 },
  // Each run ends by itself within a minute; what a killed one leaves is taken up soon after.
  erase: { policy: 'exclusive', retryLimit: 0, expireInSeconds: 180, deleteAfterSeconds: 3600 },
  'apply-retention': { policy: 'exclusive', retryLimit: 0, expireInSeconds: 1800, deleteAfterSeconds: 3600 },
  'roll-up-attempts': { policy: 'exclusive', retryLimit: 5, retryDelay: 10, deleteAfterSeconds: 3600 },
}

/** When the recurring jobs run (cron, UTC). */
const schedules: Readonly<Partial<Record<JobName, string>>> = {
  'sweep-backlog': '* * * * *',
  'judge-subscriptions': '* * * * *',
  'make-partitions': '17 * * * *',
  erase: '* * * * *',
  'apply-retention': '47 * * * *',
  // Some minutes after an hour is over, and once more for what came late.
  'roll-up-attempts': '7,37 * * * *',
}

export type Jobs = AsyncDisposable & {
  /** pg-boss itself, for the dispatcher that works the queues. */
  readonly boss: PgBoss
  /**
   * Sends a job that is born with the transaction, and dies with it. A job of the same kind and key that still waits
   * makes this one unnecessary.
   */
  send<Name extends JobName>(tx: Tx, name: Name, payload: JobPayloads[Name], key: string): Promise<void>
  /** Sends a job that runs in so many seconds. */
  sendLater<Name extends JobName>(name: Name, payload: JobPayloads[Name], key: string, seconds: number): Promise<void>
}

export type JobsOptions = {
  url: string
  /** `work` also looks after lost heartbeats and schedules; `send` only sends. */
  mode: 'send' | 'work'
  /** pg-boss tells its troubles by events; unheard they would end the process. */
  onError(error: Error): void
  /** How long an answer of the database is waited for, in milliseconds; 10 s by default. */
  answerTimeoutMs?: number
}

/** Opens the queue. It must have been installed. */
export async function openJobs(options: JobsOptions): Promise<Jobs> {
  const works = options.mode === 'work'
  // pg-boss hands these on to its pool.
  const connections = { query_timeout: options.answerTimeoutMs ?? answerTimeoutMs, keepAlive: true }
  const boss = new PgBoss({
    ...connections,
    connectionString: options.url,
    schema: jobsSchema,
    application_name: 'posthorn-jobs',
    max: jobsPoolSize,
    migrate: false,
    supervise: works,
    schedule: works,
    superviseIntervalSeconds: superviseSeconds,
    monitorIntervalSeconds: superviseSeconds,
    maintenanceIntervalSeconds: 60,
  })
  let closing = false
  // A queue that stops does not wait for its connections to be gone; what becomes of them then is no news.
  boss.on('error', (error) => {
    if (!closing) options.onError(error)
  })
  await boss.start()
  return {
    boss,
    async send(tx, name, payload, key) {
      await boss.send(name, payload, { singletonKey: key, db: fromPrisma(tx) })
    },
    async sendLater(name, payload, key, seconds) {
      await boss.send(name, payload, { singletonKey: key, startAfter: seconds })
    },
    async [Symbol.asyncDispose]() {
      closing = true
      await boss.stop({ graceful: false })
    },
  }
}

/** Installs or migrates pg-boss's schema, the queues and the schedules. May be called by several processes at once. */
export async function installJobs(url: string): Promise<void> {
  const boss = new PgBoss({
    connectionString: url,
    schema: jobsSchema,
    max: 1,
    supervise: false,
    schedule: false,
    registerInstance: false,
  })
  boss.on('error', () => undefined) // every call below rejects with its own error
  await boss.start()
  try {
    for (const [name, options] of Object.entries(queues)) {
      await boss.createQueue(name, options)
      const { policy: _policy, ...changeable } = options // a queue's policy is for its lifetime
      await boss.updateQueue(name, changeable)
    }
    for (const [name, cron] of Object.entries(schedules)) await boss.schedule(name, cron, {}, { tz: 'UTC' })
  } finally {
    await boss.stop({ graceful: false })
  }
}
