/** Lets a dispatcher deliver what waits, and makes sure that it did. */

import type { Child } from '../children/child.ts'
import type { Drained, PosthornCalls } from '../children/posthorn/posthorn.ts'
import type { ReceiverCalls } from '../children/receiver/receiver.ts'
import { treeCpuMs } from '../machine/processor.ts'
import { countWork } from '../sql/count-work.ts'
import { readWalBytes } from '../sql/read-wal-bytes.ts'
import type { Stage } from '../stage/stage.ts'
import { type Bench, BenchmarkFailed, expectCounts, newAdminKey, start } from './benchmark.ts'

export type DrainCosts = Drained & {
  /** Attempts recorded a second. */
  perSecond: number
  /** CPU of the dispatcher's process for each attempt. */
  cpuUs: number
  /** CPU of the whole database for each attempt, the start of the dispatcher included; undefined where it is not known. */
  postgresCpuUs: number | undefined
  /** Write-ahead log for each attempt. */
  walBytes: number
}

export type DrainJob = {
  stage: Stage
  receiver: Child<ReceiverCalls>
  receiverPort: number
  /** Deliveries to wait for. */
  count: number
  /** Deliveries of this subscription are not waited for. */
  except?: string
}

/**
 * Starts a dispatcher and waits until it has recorded `count` attempts.
 *
 * @throws BenchmarkFailed when an attempt did not deliver, or the receiver did not get every event exactly once
 */
export async function drainWork(bench: Bench, job: DrainJob): Promise<DrainCosts> {
  const { stage, receiver, receiverPort, count, except = '' } = job
  await using posthorn = await start<PosthornCalls>(bench, 'posthorn')
  const databaseUrl = stage.db.url
  const costs = await bench.measured('draining', async () => {
    const walBefore = await readWalBytes(stage.db)
    const postgresBefore = await postgresCpuMs(stage)
    await posthorn.ask('start', { role: 'dispatcher', databaseUrl, receiverPort, adminKey: newAdminKey() })
    const drained = await posthorn.ask('drained', count, except)
    const postgresAfter = await postgresCpuMs(stage)
    const walAfter = await readWalBytes(stage.db)
    const { recorded, ms, cpuMs } = drained
    const hasPostgres = postgresBefore !== undefined && postgresAfter !== undefined
    return {
      ...drained,
      perSecond: (recorded / ms) * 1_000,
      cpuUs: (cpuMs / recorded) * 1_000,
      postgresCpuUs: hasPostgres ? ((postgresAfter - postgresBefore) / recorded) * 1_000 : undefined,
      walBytes: (walAfter - walBefore) / recorded,
    }
  })
  await posthorn.ask('stop')
  const { recorded, undelivered, troubles } = await posthorn.ask('totals')
  if (troubles.length > 0) throw new BenchmarkFailed(troubles.join('\n'))
  const { requests, distinct } = await receiver.ask('received')
  const { delivered, attempts } = await countWork(stage.db)
  expectCounts(
    { undelivered, requests, distinct, delivered, attempts },
    { undelivered: 0, requests: recorded, distinct: recorded, delivered: recorded, attempts: recorded },
  )
  await receiver.ask('forget')
  return costs
}

async function postgresCpuMs({ postgresPid }: Stage): Promise<number | undefined> {
  return postgresPid === undefined ? undefined : treeCpuMs(postgresPid)
}
