/** How long events take from the moment they are due to be published until they are at the receiver. */
import type { Child } from '../children/child.ts'
import type { LoadCalls, LoadTarget } from '../children/load/load.ts'
import type { ReceiverCalls } from '../children/receiver/receiver.ts'
import { type Bench, BenchmarkFailed, expectCounts, start } from './benchmark.ts'

export type Measurement = {
  receiver: Child<ReceiverCalls>
  target: LoadTarget
  perSecond: number
  what: string
  /** The receiver gets other events meanwhile. */
  besideOthers?: boolean
}

/**
 * Publishes at a fixed rate. Answers how long each event took to the receiver, in milliseconds.
 *
 * @throws BenchmarkFailed when an event did not arrive, or any arrived twice
 */
export async function measureReceipts(bench: Bench, measurement: Measurement): Promise<number[]> {
  const { receiver, target, perSecond, what, besideOthers = false } = measurement
  await using load = await start<LoadCalls>(bench, 'load')
  const { dueAt, countedFrom, refusals } = await bench.measured(what, async () => {
    const result = await load.ask('openLoop', target, perSecond)
    await receiver.ask('haveAll', [...result.dueAt.keys()])
    return result
  })
  if (refusals.length > 0) throw new BenchmarkFailed(refusals.join('\n'))
  const { requests, distinct } = await receiver.ask('received')
  expectCounts({ requests }, { requests: distinct })
  if (!besideOthers) expectCounts({ distinct }, { distinct: dueAt.size })
  const receivedAt = await receiver.ask('times')
  return [...dueAt].flatMap(([id, dueMs]) => {
    const atMs = receivedAt.get(id)
    if (atMs === undefined) throw new BenchmarkFailed(`${id} never arrived`)
    return dueMs < countedFrom ? [] : [atMs - dueMs]
  })
}
