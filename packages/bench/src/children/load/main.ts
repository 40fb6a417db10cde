/** The publishers' process. */
import { answerCalls } from '../answer.ts'
import { createLoad } from './load.ts'

answerCalls(process, createLoad(monotonicMs))

/** `CLOCK_MONOTONIC`: the same in every process of this machine, unlike `performance.now`. */
function monotonicMs(): number {
  const [seconds, nanoseconds] = process.hrtime()
  return seconds * 1_000 + nanoseconds / 1_000_000
}
