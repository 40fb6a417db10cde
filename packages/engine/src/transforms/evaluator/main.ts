/**
 * An evaluator: a process with one thread in which transforms run.
 *
 * The thread has a limit of memory, and its death is told in words. But that limit is none that can be relied on: an
 * allocation that is large enough aborts the whole process (Node 24: `$pad("", 400000000)` does), and it is this process
 * then, with nothing else in it. It ends with the one that started it.
 */
import { Worker } from 'node:worker_threads'
import {
  clockMsMax,
  type EvaluationFault,
  type EvaluationLimits,
  type EvaluatorReply,
  type EvaluatorRequest,
  ofMemory,
  ofTime,
} from './protocol.ts'

/** How much later than its own limit a transform is ended with its thread, in milliseconds: it hangs in one built-in call. */
const graceMs = 250

const limits: EvaluationLimits = JSON.parse(process.argv[2] ?? '')
/** What is to be told when the thread that died has a successor: before that nothing more can be asked. */
let death: EvaluationFault | undefined
let watch: NodeJS.Timeout | undefined
let thread = startThread()

// Signals of a terminal and of a service manager go to this process too, and the one that started it may need it to drain.
process.on('SIGINT', () => undefined)
process.on('SIGTERM', () => undefined)
process.on('disconnect', () => process.exit())
process.on('message', (request: EvaluatorRequest) => {
  watch = setTimeout(() => {
    death = ofTime(limits)
    void thread.terminate()
  }, clockMsMax(limits) + graceMs)
  thread.postMessage(request)
})

function startThread(): Worker {
  const started = new Worker(new URL('./thread/main.ts', import.meta.url), {
    workerData: limits,
    env: {},
    resourceLimits: { maxOldGenerationSizeMb: limits.memoryMibMax, maxYoungGenerationSizeMb: 8 },
  })
  started.on('message', (given: 'ready' | EvaluatorReply) => {
    clearTimeout(watch)
    process.send?.(death === undefined ? given : { fault: death })
    death = undefined
  })
  started.on('error', (error) => {
    // Anything else is a fault of ours: this process ends, and the one that started it hears of it.
    if (!('code' in error) || error.code !== 'ERR_WORKER_OUT_OF_MEMORY') throw error
    death ??= ofMemory(limits)
  })
  started.on('exit', () => {
    clearTimeout(watch)
    thread = startThread()
  })
  return started
}
