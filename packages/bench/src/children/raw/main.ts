/** The process of the ceilings. */
import { answerCalls } from '../answer.ts'
import { createRaw } from './raw.ts'

answerCalls(process, createRaw({ now: () => Date.now(), monotonicMs: () => performance.now(), cpuMs }))

function cpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000
}
