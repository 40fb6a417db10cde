/**
 * Metrics for Prometheus: what this process did, counted from the same occurrences that the log tells, and how things
 * stand in the database, asked at every scrape. No label has the name of a tenant or a subscription: those are unbounded,
 * and whoever scrapes need not know them.
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { Database } from './db/database.ts'
import { type Gauges, selectGauges } from './db/sql/select-gauges.ts'
import { type OutboxGauges, selectOutboxGauges } from './db/sql/select-outbox-gauges.ts'
import type { Telemetry } from './telemetry.ts'

/** The most that is counted of what is due, and of what waits. */
const countMax = 100_000
/** From five milliseconds to the longest time-out, in seconds. */
const seconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]
/** Waiting has no limit: a receiver may ask for a day. */
const waitSeconds = [...seconds, 60, 300, 3_600, 86_400]

export type Metrics = {
  /** Counts what it is told. */
  telemetry: Telemetry
  contentType: string
  /** @throws DatabaseUnavailable */
  text(): Promise<string>
}

/** Metrics of one process. */
export function createMetrics(db: Database): Metrics {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry })
  const attempts = new Counter({
    name: 'posthorn_attempts_total',
    help: 'Attempts recorded by this process, by what follows and by why they failed',
    labelNames: ['outcome', 'failure_code', 'trigger'],
    registers,
  })
  const wait = new Histogram({
    name: 'posthorn_attempt_wait_seconds',
    help: 'From being due to being sent: our part of the time',
    buckets: waitSeconds,
    registers,
  })
  const duration = new Histogram({
    name: 'posthorn_attempt_duration_seconds',
    help: "From being sent to the end of the answer: the receiver's part of the time",
    buckets: seconds,
    registers,
  })
  const overtaken = new Counter({
    name: 'posthorn_attempts_overtaken_total',
    help: 'Attempts whose lease was lost to another dispatcher before they were recorded',
    registers,
  })
  const faults = new Counter({
    name: 'posthorn_faults_total',
    help: 'Faults of our own: rounds that failed and were tried again, and deliveries that could not be prepared',
    labelNames: ['kind'],
    registers,
  })
  const shards = new Gauge({ name: 'posthorn_shards_owned', help: 'Shards that this dispatcher works on', registers })
  const backlog = new Gauge({
    name: 'posthorn_backlog_deliveries',
    help: `Unfinished deliveries that are due, and that wait for a retry or for the end of an attempt; counted up to ${countMax} each`,
    labelNames: ['state'],
    registers,
  })
  const subscriptions = new Gauge({
    name: 'posthorn_subscriptions',
    help: 'Subscriptions by state, and disabled ones by reason',
    labelNames: ['state', 'reason'],
    registers,
  })
  const blocked = new Gauge({
    name: 'posthorn_ordered_subscriptions_blocked',
    help: 'Ordered subscriptions whose oldest delivery has failed and keeps the others waiting',
    registers,
  })
  const outbox = new Gauge({
    name: 'posthorn_outbox_events',
    help: `Events in the outbox that wait to be published, and that were refused and stay; counted up to ${countMax} each`,
    labelNames: ['state'],
    registers,
  })
  const outboxOldest = new Gauge({
    name: 'posthorn_outbox_oldest_seconds',
    help: 'How long the oldest event in the outbox has waited to be published',
    registers,
  })
  const dispatchers = new Gauge({ name: 'posthorn_dispatchers', help: 'Dispatchers that are alive', registers })

  function show(gauges: Gauges): void {
    backlog.set({ state: 'due' }, gauges.due)
    backlog.set({ state: 'waiting' }, gauges.waiting)
    subscriptions.reset()
    for (const { state, reason, count } of gauges.subscriptions)
      subscriptions.set({ state, reason: reason ?? '' }, count)
    blocked.set(gauges.ordered_blocked)
    dispatchers.set(gauges.dispatchers)
  }

  function showOutbox(gauges: OutboxGauges): void {
    outbox.set({ state: 'waiting' }, gauges.waiting)
    outbox.set({ state: 'refused' }, gauges.refused)
    outboxOldest.set(gauges.oldest_seconds)
  }

  return {
    telemetry(occurrence) {
      switch (occurrence.what) {
        case 'attempt_recorded': {
          const { next, failureCode, trigger, waitMs, totalMs } = occurrence.record
          attempts.inc({ outcome: next.kind, failure_code: failureCode ?? '', trigger })
          wait.observe(waitMs / 1_000)
          duration.observe(totalMs / 1_000)
          if (!occurrence.moved) overtaken.inc()
          break
        }
        case 'round_failed':
        case 'delivery_fault':
          faults.inc({ kind: occurrence.what })
          break
        case 'shards_owned':
          shards.set(occurrence.shards.length)
          break
        default:
      }
    },
    contentType: registry.contentType,
    async text() {
      show(await selectGauges(db.pool, countMax))
      showOutbox(await selectOutboxGauges(db.pool, countMax))
      return registry.metrics()
    },
  }
}
