/** The ceiling of everything that delivers: what undici sends to the same receiver when nothing else is to be done. */
import { envelope } from '@posthorn/engine'
import type { Child } from '../children/child.ts'
import type { RawCalls } from '../children/raw/raw.ts'
import type { ReceiverCalls } from '../children/receiver/receiver.ts'
import { eventData, eventType } from '../stage/scenery.ts'
import { type Bench, expectCounts, start } from './benchmark.ts'

/** Posthorn's default: `POSTHORN_CONCURRENCY`. */
const concurrency = 256

export type RawRate = { perSecond: number; cpuUs: number }

/** Sends `count` signed requests, as one process with as many in flight as a dispatcher has. */
export async function measureRawPosts(
  bench: Bench,
  receiver: Child<ReceiverCalls>,
  { receiverPort, count, paths }: { receiverPort: number; count: number; paths: number },
): Promise<RawRate> {
  await using raw = await start<RawCalls>(bench, 'raw')
  const body = envelope({ type: eventType, timestamp: new Date(bench.world.now()), data: eventData })
  const posts = { receiverPort, concurrency, count, body, paths }
  const { ms, cpuMs } = await bench.measured('raw signed POSTs', () => raw.ask('post', posts))
  const { requests, distinct } = await receiver.ask('received')
  expectCounts({ requests, distinct }, { requests: count, distinct: count })
  await receiver.ask('forget')
  return { perSecond: (count / ms) * 1_000, cpuUs: (cpuMs / count) * 1_000 }
}
