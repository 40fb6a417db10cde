/**
 * `publish`: how many events a second one process takes by REST from clients that publish one at a time, each event
 * committed before its answer. Once by an API alone, and once by a process that also delivers, up to the last delivery.
 */
import type { LoadCalls } from '../children/load/load.ts'
import type { PosthornCalls } from '../children/posthorn/posthorn.ts'
import type { RawCalls } from '../children/raw/raw.ts'
import type { ReceiverCalls } from '../children/receiver/receiver.ts'
import { treeCpuMs } from '../machine/processor.ts'
import type { Figure } from '../report/row.ts'
import { checkpoint } from '../sql/checkpoint.ts'
import { countWork } from '../sql/count-work.ts'
import { readWalBytes } from '../sql/read-wal-bytes.ts'
import { type Bench, type Benchmark, BenchmarkFailed, expectCounts, newAdminKey, start } from './benchmark.ts'
import { publishLoad, setPublishers } from './publishing.ts'

const ratioMin = 0.25

type Rates = { perSecond: number; cpuUs: number; walBytes: number }

export const publish: Benchmark = async (bench) => {
  const ceiling = await measureRawApi(bench)
  const alone = await measureApi(bench)
  const delivering = await measureDelivering(bench)
  const goal = { of: 'ratio', is: '>=', limit: ratioMin } as const
  const figures: Figure[] = [
    { name: 'publish', value: alone.perSecond, unit: 'events/s', ceiling: ceiling.perSecond, goal },
    { name: 'publish.cpu', value: alone.cpuUs, unit: 'µs of the API an event', ceiling: ceiling.cpuUs },
    { name: 'publish.wal', value: alone.walBytes, unit: 'bytes of WAL an event' },
    {
      name: 'publish.delivering',
      value: delivering,
      unit: 'events/s to the last delivery',
      ceiling: ceiling.perSecond,
    },
  ]
  return figures.filter(({ value }) => !Number.isNaN(value))
}

async function measureRawApi(bench: Bench): Promise<{ perSecond: number; cpuUs: number }> {
  await using raw = await start<RawCalls>(bench, 'raw')
  await using load = await start<LoadCalls>(bench, 'load')
  const { origin } = await raw.ask('serve', {})
  const target = publishLoad({ ...bench.sizes.publish, origin, key: newAdminKey() })
  const cpuBefore = await treeCpuMs(raw.pid)
  const result = await bench.measured('raw Fastify POSTs', () => load.ask('closedLoop', target))
  if (result.refusals.length > 0) throw new BenchmarkFailed(result.refusals.join('\n'))
  return {
    perSecond: (result.counted / result.ms) * 1_000,
    cpuUs: await cpuUsSince(cpuBefore, raw.pid, result.accepted),
  }
}

async function measureApi(bench: Bench): Promise<Rates> {
  await using stage = await bench.openStage()
  await using load = await start<LoadCalls>(bench, 'load')
  await using posthorn = await start<PosthornCalls>(bench, 'posthorn')
  const { tenants } = bench.sizes.publish
  const scenery = { db: stage.db, world: bench.world, receiverPort: 1 }
  await setPublishers(scenery, tenants)
  await checkpoint(stage.db)
  const key = newAdminKey()
  const api = { role: 'api', databaseUrl: stage.db.url, receiverPort: scenery.receiverPort, adminKey: key } as const
  const { origin } = await posthorn.ask('start', api)
  const walBefore = await readWalBytes(stage.db)
  const cpuBefore = await treeCpuMs(posthorn.pid)
  const target = publishLoad({ ...bench.sizes.publish, origin, key })
  const result = await bench.measured('publishing', () => load.ask('closedLoop', target))
  const cpuUs = await cpuUsSince(cpuBefore, posthorn.pid, result.accepted)
  const walBytes = ((await readWalBytes(stage.db)) - walBefore) / result.accepted
  await posthorn.ask('stop')
  if (result.refusals.length > 0) throw new BenchmarkFailed(result.refusals.join('\n'))
  const { accepted } = result
  expectCounts(await countWork(stage.db), { events: accepted, deliveries: accepted, waiting: accepted, attempts: 0 })
  return { perSecond: (result.counted / result.ms) * 1_000, cpuUs, walBytes }
}

/** Events a second, from the first publish to the last recorded delivery. */
async function measureDelivering(bench: Bench): Promise<number> {
  await using stage = await bench.openStage()
  await using receiver = await start<ReceiverCalls>(bench, 'receiver')
  await using load = await start<LoadCalls>(bench, 'load')
  await using posthorn = await start<PosthornCalls>(bench, 'posthorn')
  const { port: receiverPort } = await receiver.ask('listen')
  const scenery = { db: stage.db, world: bench.world, receiverPort }
  await setPublishers(scenery, bench.sizes.publish.tenants)
  await checkpoint(stage.db)
  const key = newAdminKey()
  const all = { role: 'all', databaseUrl: stage.db.url, receiverPort, adminKey: key } as const
  const { origin } = await posthorn.ask('start', all)
  const target = publishLoad({ ...bench.sizes.publish, origin, key, warmUpSeconds: 0 })
  const { accepted, refusals, ms } = await bench.measured('publishing and delivering', async () => {
    const startedMs = performance.now()
    const result = await load.ask('closedLoop', target)
    await posthorn.ask('drained', result.accepted)
    return { ...result, ms: performance.now() - startedMs }
  })
  await posthorn.ask('stop')
  if (refusals.length > 0) throw new BenchmarkFailed(refusals.join('\n'))
  const { requests, distinct } = await receiver.ask('received')
  expectCounts(
    { ...(await countWork(stage.db)), requests, distinct },
    { requests: accepted, distinct: accepted, events: accepted, delivered: accepted, attempts: accepted, waiting: 0 },
  )
  return (accepted / ms) * 1_000
}

/** NaN where it cannot be known. */
async function cpuUsSince(beforeMs: number | undefined, pid: number, count: number): Promise<number> {
  const nowMs = await treeCpuMs(pid)
  return beforeMs === undefined || nowMs === undefined ? Number.NaN : ((nowMs - beforeMs) / count) * 1_000
}
