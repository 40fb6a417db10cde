/**
 * `latency`: from the moment an event is due to be published until it is at the receiver, at rates that leave the machine
 * room, in one process and in two. Beside it the same with nothing in between that could wait for a disk.
 */

import type { Child } from '../children/child.ts'
import type { PosthornCalls } from '../children/posthorn/posthorn.ts'
import type { RawCalls } from '../children/raw/raw.ts'
import type { ReceiverCalls } from '../children/receiver/receiver.ts'
import type { Figure, Goal } from '../report/row.ts'
import { percentile } from '../report/statistics.ts'
import { checkpoint } from '../sql/checkpoint.ts'
import { countWork } from '../sql/count-work.ts'
import { type Bench, type Benchmark, expectCounts, newAdminKey, start } from './benchmark.ts'
import { publishLoad, setPublishers } from './publishing.ts'
import { measureReceipts } from './receipts.ts'

/** What must hold at the lowest rate, in milliseconds. */
const p50MsMax = 10
const p99MsMax = 100

/** All of it in one process, or the API and a dispatcher each in its own. */
const splits = { all: ['all'], split: ['api', 'dispatcher'] } as const
type Split = keyof typeof splits

export const latency: Benchmark = async (bench) => {
  const figures: Figure[] = []
  for (const [place, perSecond] of bench.sizes.latency.perSecond.entries()) {
    const raw = await measureRawRelay(bench, perSecond)
    for (const split of ['all', 'split'] as const) {
      const receiptMs = await measurePosthorn(bench, split, perSecond)
      const name = `latency.${split}.${perSecond}`
      const atMost = (limit: number): { goal?: Goal } => (place > 0 ? {} : { goal: { of: 'value', is: '<=', limit } })
      figures.push(
        { name: `${name}.p50`, ...at(0.5, receiptMs, raw), ...atMost(p50MsMax) },
        { name: `${name}.p99`, ...at(0.99, receiptMs, raw), ...atMost(p99MsMax) },
      )
    }
  }
  return figures
}

function at(part: number, receiptMs: readonly number[], raw: readonly number[]): Omit<Figure, 'name'> {
  return { value: percentile(receiptMs, part), unit: 'ms to the receiver', ceiling: percentile(raw, part) }
}

async function measureRawRelay(bench: Bench, perSecond: number): Promise<number[]> {
  await using receiver = await start<ReceiverCalls>(bench, 'receiver')
  await using raw = await start<RawCalls>(bench, 'raw')
  const { port: receiverPort } = await receiver.ask('listen')
  const { origin } = await raw.ask('serve', { receiverPort })
  const target = publishLoad({ ...bench.sizes.latency, origin, key: newAdminKey() })
  return await measureReceipts(bench, { receiver, target, perSecond, what: 'raw relay' })
}

async function measurePosthorn(bench: Bench, split: Split, perSecond: number): Promise<number[]> {
  await using stage = await bench.openStage()
  await using receiver = await start<ReceiverCalls>(bench, 'receiver')
  await using stack = new AsyncDisposableStack()
  const { port: receiverPort } = await receiver.ask('listen')
  const scenery = { db: stage.db, world: bench.world, receiverPort }
  await setPublishers(scenery, bench.sizes.latency.tenants)
  await checkpoint(stage.db)
  const key = newAdminKey()
  const processes: Child<PosthornCalls>[] = []
  const origins: string[] = []
  for (const role of splits[split]) {
    const posthorn = stack.use(await start<PosthornCalls>(bench, 'posthorn'))
    const { origin } = await posthorn.ask('start', { role, databaseUrl: stage.db.url, receiverPort, adminKey: key })
    processes.push(posthorn)
    origins.push(origin)
  }
  const target = publishLoad({ ...bench.sizes.latency, origin: origins.join(''), key })
  const what = `${split === 'all' ? 'one process' : 'two processes'} at ${perSecond}/s`
  const receiptMs = await measureReceipts(bench, { receiver, target, perSecond, what })
  await Promise.all(processes.map((posthorn) => posthorn.ask('stop')))
  const { events, delivered, attempts, waiting } = await countWork(stage.db)
  expectCounts({ delivered, attempts, waiting }, { delivered: events, attempts: events, waiting: 0 })
  return receiptMs
}
