/** What every benchmark is given, and what it must be. */
import { randomBytes } from 'node:crypto'
import type { World } from '@posthorn/engine'
import type { Handlers } from '../children/answer.ts'
import { type Child, type ChildName, startChild } from '../children/child.ts'
import type { Figure } from '../report/row.ts'
import type { Stage } from '../stage/stage.ts'

/** How much is measured. */
export type Sizes = {
  /** Deliveries that are drained, and the subscriptions they are for. */
  drain: { deliveries: number; subscriptions: number }
  drainWide: { deliveries: number; subscriptions: number }
  backlog: {
    deliveries: number
    subscriptions: number
    /** Waiting deliveries of another subscription, least first; each name is part of a row's. */
    waiting: readonly { name: string; count: number }[]
    scheduled: { name: string; count: number }
  }
  publish: { seconds: number; warmUpSeconds: number; tenants: number }
  /** Attempts that are counted, least first; each name is part of a row's. */
  metrics: { attempts: readonly { name: string; attempts: number }[] }
  latency: { seconds: number; warmUpSeconds: number; tenants: number; perSecond: readonly number[] }
  fairness: {
    seconds: number
    warmUpSeconds: number
    /** Whose events are measured, each with a receiver that answers. */
    tenants: number
    perSecond: number
    /** Deliveries that wait for one other subscription. */
    rush: number
    /** Receivers that never answer, of other tenants. */
    silent: number
  }
}

export type Bench = {
  sizes: Sizes
  world: World
  /** Ends everything. */
  stop: AbortSignal
  /** Where processes write their logs. */
  folder: string
  /** Where Posthorn's processes leave CPU profiles. */
  profileFolder: string | undefined
  openStage(): Promise<Stage>
  /** Waits for a quiet machine, then measures, and notes whether it stayed so. */
  measured<T>(what: string, measure: () => Promise<T>): Promise<T>
}

export type Benchmark = (bench: Bench) => Promise<readonly Figure[]>

/** A benchmark did not do what it measures: deliveries were lost or doubled, or refused. */
export class BenchmarkFailed extends Error {
  override readonly name = 'BenchmarkFailed'
}

/** @throws BenchmarkFailed when a count is not what it must be */
export function expectCounts(
  found: Readonly<Record<string, number>>,
  expected: Readonly<Record<string, number>>,
): void {
  const wrong = Object.entries(expected).filter(([name, count]) => found[name] !== count)
  if (wrong.length === 0) return
  throw new BenchmarkFailed(wrong.map(([name, count]) => `${name}: ${found[name]} instead of ${count}`).join(', '))
}

export function start<Calls extends Handlers>(bench: Bench, name: ChildName): Promise<Child<Calls>> {
  const profileFolder = name === 'posthorn' ? bench.profileFolder : undefined
  return startChild<Calls>(name, { folder: bench.folder, stop: bench.stop, profileFolder })
}

/** A key for the API, as an operator would choose one. */
export function newAdminKey(): string {
  return `phk_${randomBytes(20).toString('hex')}`
}
