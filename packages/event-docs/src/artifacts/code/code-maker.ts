/**
 * Runs the generators in threads of their own, each piece under limits of time and memory. What hangs or grows costs its
 * event type the generated code, and nothing else.
 */
import { Worker } from 'node:worker_threads'
import type { Made, Piece } from './piece.ts'

/** What a piece may take of a processor, in milliseconds: it is tens. How busy the machine is has no part in it. */
const pieceMsMaxDefault = 5_000
/** How long it may take on the clock: something that waits for nothing takes no processor either. */
const pieceClockMsMax = 120_000
/** It is not looked at more often than this, in milliseconds. */
const lookMsMin = 50
/** How much of a processor a thread may take to load the generators, in milliseconds. */
const startMsMax = 30_000
/** After so many threads that had to be ended nothing is made any more: a build must not wait for a thousand of them. */
const failedThreadsMax = 4
const memoryMib = 512
/** As many as the processors of the smallest machine that is meant. */
const threadsMaxDefault = 2
/** A thread that has loaded the generators is 100 MB, and is ended when it has had nothing to do for so long. */
const idleMsDefault = 10_000

export type CodeMaker = {
  /** Never throws: what cannot be made has a reason. Pieces are begun in the order in which they are asked for. */
  make(piece: Piece): Promise<Made>
  /** Waits for what was asked for. */
  end(): Promise<void>
}

export function createCodeMaker({
  pieceMsMax = pieceMsMaxDefault,
  threadsMax = threadsMaxDefault,
  idleMs = idleMsDefault,
}: {
  pieceMsMax?: number
  threadsMax?: number
  idleMs?: number
} = {}): CodeMaker {
  const idle: Worker[] = []
  let resting: NodeJS.Timeout | undefined
  const waiting: ((free: undefined) => void)[] = []
  let busy = 0
  let failedThreads = 0

  /** A thread that nobody uses; undefined when none can be started. */
  async function taken(): Promise<Worker | undefined> {
    if (busy >= threadsMax) await new Promise<undefined>((free) => waiting.push(free))
    else busy += 1
    return idle.pop() ?? (failedThreads >= failedThreadsMax ? undefined : started())
  }

  async function started(): Promise<Worker | undefined> {
    const worker = new Worker(new URL('./thread.ts', import.meta.url), {
      env: {},
      resourceLimits: { maxOldGenerationSizeMb: memoryMib },
      stdout: true,
      stderr: true,
    })
    // Between pieces it keeps no process alive.
    worker.unref()
    if ((await replyOf(worker, startMsMax, () => undefined)) === 'ready') return worker
    await drop(worker)
    return undefined
  }

  /** A place is free for the one that has waited longest. */
  function release(): void {
    const next = waiting.shift()
    if (next !== undefined) {
      next(undefined)
      return
    }
    busy -= 1
    clearTimeout(resting)
    resting = setTimeout(() => void endIdle(), idleMs)
    resting.unref()
  }

  async function endIdle(): Promise<void> {
    await Promise.all(idle.splice(0).map((worker) => worker.terminate()))
  }

  async function drop(worker: Worker): Promise<void> {
    failedThreads += 1
    await worker.terminate()
  }

  async function madeBy(worker: Worker, piece: Piece): Promise<Made> {
    const reply = await replyOf(worker, pieceMsMax, () => worker.postMessage(piece))
    if (typeof reply === 'object') {
      idle.push(worker)
      return reply
    }
    await drop(worker)
    return {
      failure: reply === 'late' ? `it was not done after ${pieceMsMax} ms` : 'the generator ended before it was done',
    }
  }

  return {
    async make(piece) {
      const worker = await taken()
      try {
        if (worker === undefined) return { failure: 'the generators were given up: too many pieces ended their thread' }
        return await madeBy(worker, piece)
      } finally {
        release()
      }
    },
    async end() {
      while (busy > 0) await new Promise<undefined>((free) => waiting.push(free)).finally(release)
      clearTimeout(resting)
      await endIdle()
    },
  }
}

type Reply = Made | 'ready' | 'late' | 'ended'

/**
 * The next thing that a thread says, or that it says nothing. Keeps the process alive until then.
 *
 * @param msMax of a processor
 */
function replyOf(worker: Worker, msMax: number, ask: () => void): Promise<Reply> {
  const { promise, resolve } = Promise.withResolvers<Reply>()
  const ended = () => resolve('ended')
  const begunMs = performance.now()
  // Of a thread that has ended nobody knows; then it says so itself.
  const before = worker.cpuUsage().catch(() => undefined)
  let watch = setTimeout(look, msMax)
  async function look(): Promise<void> {
    const used = await worker.cpuUsage(await before).catch(() => undefined)
    const usedMs = used === undefined ? msMax : (used.user + used.system) / 1_000
    if (usedMs >= msMax || performance.now() - begunMs >= pieceClockMsMax) return resolve('late')
    watch = setTimeout(look, Math.max(msMax - usedMs, lookMsMin))
  }
  worker.once('message', resolve)
  worker.once('error', ended)
  worker.once('exit', ended)
  ask()
  return promise.finally(() => {
    clearTimeout(watch)
    worker.off('message', resolve)
    worker.off('error', ended)
    worker.off('exit', ended)
  })
}
