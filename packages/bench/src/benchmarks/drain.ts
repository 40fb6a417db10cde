/**
 * `drain` and `drain-wide`: how fast one dispatcher delivers what waits, from owning the shards to the last recorded
 * attempt. With many deliveries a subscription, and with one each.
 */
import type { ReceiverCalls } from '../children/receiver/receiver.ts'
import type { Figure } from '../report/row.ts'
import { owe, settle, subscribe } from '../stage/scenery.ts'
import { type Bench, type Benchmark, start } from './benchmark.ts'
import { drainWork } from './draining.ts'
import { measureRawPosts } from './raw-posts.ts'

const perTenant = 10

export const drain: Benchmark = (bench) => measureDrain(bench, 'drain', bench.sizes.drain, 0.6)
export const drainWide: Benchmark = (bench) => measureDrain(bench, 'drain-wide', bench.sizes.drainWide, 0.4)

async function measureDrain(
  bench: Bench,
  name: string,
  { deliveries, subscriptions }: { deliveries: number; subscriptions: number },
  ratioMin: number,
): Promise<Figure[]> {
  await using receiver = await start<ReceiverCalls>(bench, 'receiver')
  const { port: receiverPort } = await receiver.ask('listen')
  const raw = await measureRawPosts(bench, receiver, { receiverPort, count: deliveries, paths: subscriptions })

  await using stage = await bench.openStage()
  const scenery = { db: stage.db, world: bench.world, receiverPort }
  const subscribed = await subscribe(scenery, { name, count: subscriptions, perTenant })
  await owe(scenery, subscribed, { count: deliveries, due: true })
  await settle(scenery)
  const costs = await drainWork(bench, { stage, receiver, receiverPort, count: deliveries })

  const goal = { of: 'ratio', is: '>=', limit: ratioMin } as const
  return [
    { name, value: costs.perSecond, unit: 'deliveries/s', ceiling: raw.perSecond, goal },
    { name: `${name}.cpu`, value: costs.cpuUs, unit: 'µs of the dispatcher a delivery', ceiling: raw.cpuUs },
    ...(costs.postgresCpuUs === undefined
      ? []
      : [{ name: `${name}.postgres-cpu`, value: costs.postgresCpuUs, unit: 'µs of PostgreSQL a delivery' }]),
    { name: `${name}.wal`, value: costs.walBytes, unit: 'bytes of WAL a delivery' },
  ]
}
