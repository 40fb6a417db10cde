/**
 * A process that sends as the dispatcher does, and watches its own memory meanwhile. Receivers are elsewhere, so that
 * theirs does not count. Needs `--expose-gc`: what nobody holds any more is no memory of ours.
 */
import { createSender } from '@posthorn/dispatcher'
import { parseAllowedReceivers } from '@posthorn/engine'
import type { Order, Report } from './calls.ts'

const lookEveryMs = 5

const sender = createSender({
  policy: { allowHttp: true, allowed: parseAllowedReceivers('127.0.0.0/8') },
  resolve: () => Promise.reject(new Error('there are no names here')),
})

process.on('message', (order: Order) => void carryOut(order).then((report) => process.send?.(report)))

async function carryOut({ url, count, timeoutMs }: Order): Promise<Report> {
  collect()
  const before = process.memoryUsage.rss()
  let most = before
  const looking = setInterval(() => {
    most = Math.max(most, process.memoryUsage.rss())
  }, lookEveryMs)
  const requests = Array.from({ length: count }, () => sender.send({ url, headers: {}, body: '{}', timeoutMs }))
  const outcomes = await Promise.all(requests)
  most = Math.max(most, process.memoryUsage.rss())
  clearInterval(looking)
  collect()
  return {
    outcomes: outcomes.map(({ status, failureCode, responseTruncated, timings }) => ({
      status,
      failureCode,
      truncated: responseTruncated,
      totalMs: timings.total,
    })),
    before,
    most,
    after: process.memoryUsage.rss(),
  }
}

function collect(): void {
  if (globalThis.gc === undefined) throw new Error('this process must be started with --expose-gc')
  globalThis.gc()
}
