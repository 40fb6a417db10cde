/**
 * The command `posthorn` with two things rigged: it ends itself by SIGKILL when it passes a certain failpoint, and its
 * time of day can be moved. Everything else is the command, as its own main starts it.
 */
import { randomFillSync } from 'node:crypto'
import type { Failpoint } from '@posthorn/dispatcher'
import { storedRandomBytes } from '@posthorn/engine'
import { runCommand } from 'posthorn/command'
import type { Order } from './order.ts'

const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort(signal))

let aheadMs = 0
let dieAt: Failpoint | undefined
let claimStartedMs = 0
const claimMs: number[] = []

process.on('message', (order: Order) => {
  if (order.tell === 'die') dieAt = order.at
  if (order.tell === 'clock') aheadMs = order.aheadMs
  if (order.tell === 'claim times') process.send?.({ claimMs: claimMs.splice(0) })
})
// The channel alone keeps nothing alive.
process.channel?.unref()

process.exitCode = await runCommand(process.argv.slice(2), {
  environment: process.env,
  world: { now: () => Date.now() + aheadMs, randomBytes: storedRandomBytes(randomFillSync) },
  host: { uid: process.getuid?.() ?? -1, pid: process.pid, env: process.env },
  nodeVersion: process.versions.node,
  stdin: () => process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  stop: stop.signal,
  onExit: (end) => process.on('exit', end),
  failpoint,
})

function failpoint(passed: Failpoint): void {
  if (passed === 'before_claim') claimStartedMs = performance.now()
  if (passed === 'after_claim') claimMs.push(performance.now() - claimStartedMs)
  if (passed === dieAt) process.kill(process.pid, 'SIGKILL')
}
