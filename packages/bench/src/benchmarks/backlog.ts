/**
 * `backlog`: what work that waits costs the work of others. The same deliveries are drained beside ever more that wait for
 * one other subscription, and beside as many that are scheduled for later.
 */

import type { Child } from '../children/child.ts'
import type { ReceiverCalls } from '../children/receiver/receiver.ts'
import type { Figure } from '../report/row.ts'
import { percentile } from '../report/statistics.ts'
import { owe, type SceneSubscription, settle, subscribe } from '../stage/scenery.ts'
import { type Bench, type Benchmark, start } from './benchmark.ts'
import { type DrainCosts, drainWork } from './draining.ts'
import { measureRawPosts } from './raw-posts.ts'

const perTenant = 10
/** How many times slower the slowest case may be than the first. */
const slowdownMax = 1.5

type Case = { name: string; count: number; due: boolean }
type Measured = Case & { costs: DrainCosts }

export const backlog: Benchmark = async (bench) => {
  const { deliveries, subscriptions, waiting, scheduled } = bench.sizes.backlog
  await using receiver = await start<ReceiverCalls>(bench, 'receiver')
  const { port: receiverPort } = await receiver.ask('listen')
  const raw = await measureRawPosts(bench, receiver, { receiverPort, count: deliveries, paths: subscriptions })

  const measured: Measured[] = []
  for (const one of [...waiting.map((each) => ({ ...each, due: true })), { ...scheduled, due: false }]) {
    measured.push({ ...one, costs: await drainBeside(bench, receiver, receiverPort, one) })
  }
  return [
    ...measured.flatMap(({ name, costs }): Figure[] => [
      { name: `backlog.${name}`, value: costs.perSecond, unit: 'deliveries/s', ceiling: raw.perSecond },
      { name: `backlog.${name}.claim-p50`, value: percentile(costs.claimMs, 0.5), unit: 'ms' },
      { name: `backlog.${name}.claim-p99`, value: percentile(costs.claimMs, 0.99), unit: 'ms' },
    ]),
    slowdown(
      'backlog.slowdown',
      measured.map(({ costs }) => 1 / costs.perSecond),
    ),
    slowdown(
      'backlog.claim-slowdown',
      measured.map(({ costs }) => percentile(costs.claimMs, 0.5)),
    ),
  ]
}

async function drainBeside(
  bench: Bench,
  receiver: Child<ReceiverCalls>,
  receiverPort: number,
  { name, count, due }: Case,
): Promise<DrainCosts> {
  const { deliveries, subscriptions } = bench.sizes.backlog
  await using stage = await bench.openStage()
  const scenery = { db: stage.db, world: bench.world, receiverPort }
  const measured = await subscribe(scenery, { name: `beside-${name}`, count: subscriptions, perTenant })
  const [other]: (SceneSubscription | undefined)[] = await subscribe(scenery, { name: 'other', count: 1, perTenant })
  // What is due waits for one other subscription; what is scheduled, as retries are, for those that have work too.
  await owe(scenery, due && other !== undefined ? [other] : measured, { count, due })
  await owe(scenery, measured, { count: deliveries, due: true })
  await settle(scenery)
  return await drainWork(bench, { stage, receiver, receiverPort, count: deliveries, except: other?.id ?? '' })
}

/** How many times longer the slowest case takes than the first. */
function slowdown(name: string, times: readonly number[]): Figure {
  const goal = { of: 'value', is: '<=', limit: slowdownMax } as const
  return { name, value: Math.max(...times) / (times[0] ?? Number.NaN), unit: '× the first', goal }
}
