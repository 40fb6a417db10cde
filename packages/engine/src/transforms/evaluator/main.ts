/**
 * An evaluator: a process with one thread in which transforms run.
 *
 * The thread has a limit of memory, and its death is told in words. But that limit is none that can be relied on: an
 * allocation that is large enough aborts the whole process (Node 24: `$pad("", 400000000)` does), and it is this process
 * then, with nothing else in it. It ends with the one that started it.
 */
import { Worker } from 'node:worker_threads'
import { type EvaluationLimits, type EvaluatorAnswer, type EvaluatorRequest, ofMemory, ofTime } from './protocol.ts'

/** How much later than its own limit a transform is ended with its thread, in milliseconds: it hangs in one built-in call. */
const graceMs = 250

const limits: EvaluationLimits = JSON.parse(process.argv[2] ?? '')
let thread = startThread()
let answer: ((given: EvaluatorAnswer) => void) | undefined

// Signals of a terminal and of a service manager go to this process too, and the one that started it may need it to drain.
process.on('SIGINT', () => undefined)
process.on('SIGTERM', () => undefined)
process.on('disconnect', () => process.exit())
process.on('message', (request: EvaluatorRequest) => {
  const watch = setTimeout(() => {
    answer?.({ fault: ofTime(limits) })
    void thread.terminate()
  }, limits.msMax + graceMs)
  answer = (given) => {
    clearTimeout(watch)
    answer = undefined
    process.send?.(given)
  }
  thread.postMessage(request)
})

function startThread(): Worker {
  const started = new Worker(new URL('./thread.ts', import.meta.url), {
    workerData: limits,
    env: {},
    resourceLimits: { maxOldGenerationSizeMb: limits.memoryMibMax, maxYoungGenerationSizeMb: 8 },
  })
  started.on('message', (given: 'ready' | EvaluatorAnswer) => {
    if (given === 'ready') process.send?.(given)
    else answer?.(given)
  })
  started.on('error', (error) => {
    const isMemory = 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY'
    // Anything else is a fault of ours: this process ends, and the one that started it hears of it.
    if (!isMemory) throw error
    answer?.({ fault: ofMemory(limits) })
  })
  started.on('exit', () => {
    thread = startThread()
  })
  return started
}
