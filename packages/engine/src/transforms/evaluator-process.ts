/** An evaluator as the process that started it sees it: one request at a time, and one reply whatever happens. */
import { type ChildProcess, fork } from 'node:child_process'
import {
  clockMsMax,
  type EvaluationLimits,
  type EvaluatorReply,
  type EvaluatorRequest,
  ofMemory,
  ofTime,
} from './evaluator/protocol.ts'

/** How much longer than the limit of time an answer may take, in milliseconds: the evaluator ends what hangs by itself. */
const killAfterMs = 2_000
/** How long it may take to start, in milliseconds. */
const startMsMax = 5_000
/** What an evaluator has for itself beside the thread, in MiB. */
const ownMemoryMib = 32
/** Ends of a process that it brings about itself, when there is no memory left or its stack is used up. */
const crashes: ReadonlySet<string | null> = new Set(['SIGABRT', 'SIGTRAP', 'SIGILL', 'SIGSEGV', 'SIGBUS'])
/** Kept of what a dying evaluator writes, in UTF-16 units. */
const lastWordsLengthMax = 2_000

export type Evaluator = {
  /**
   * Answers one request. Not to be called before the last one is answered.
   *
   * @throws EvaluatorLost when the process ended and the transform is not to blame
   */
  evaluate(request: EvaluatorRequest): Promise<EvaluatorReply>
  /** Ends the process, whatever it does. */
  end(): void
  /** Resolves when it has ended, by whatever. */
  readonly ended: Promise<void>
}

/** The process of an evaluator ended, and nobody knows why. */
export class EvaluatorLost extends Error {
  override readonly name = 'EvaluatorLost'
  readonly code = 'evaluator_lost'
}

/** Starts an evaluator. It keeps no process alive and ends with the one that started it. */
export function startEvaluator(limits: EvaluationLimits): Evaluator {
  const child = fork(new URL('./evaluator/main.ts', import.meta.url), [JSON.stringify(limits)], {
    // Neither settings nor secrets of ours; and times without a zone mean the same on every machine.
    env: { TZ: 'UTC' },
    execArgv: [
      '--permission',
      '--allow-fs-read=*',
      '--allow-worker',
      `--max-old-space-size=${ownMemoryMib}`,
      // An expression can make promises that nobody waits for.
      '--unhandled-rejections=none',
    ],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  letGo(child)
  let lastWords = ''
  child.stderr?.on('data', (words: Buffer) => {
    if (lastWords.length < lastWordsLengthMax) lastWords += words.toString('utf8')
  })

  let isTimeOver = false
  let settle: { resolve(reply: EvaluatorReply): void; reject(error: Error): void } | undefined
  const ready = Promise.withResolvers<void>()
  // An evaluator that never got ready is told of by the first request.
  ready.promise.catch(() => undefined)
  const ended = Promise.withResolvers<void>()
  const starting = setTimeout(() => child.kill('SIGKILL'), startMsMax).unref()
  child.on('message', (given: 'ready' | EvaluatorReply) => {
    if (given !== 'ready') settle?.resolve(given)
    clearTimeout(starting)
    ready.resolve()
  })
  child.on('error', (error) => over(new EvaluatorLost('an evaluator could not be started', { cause: error })))
  child.on('exit', (code, signal) => {
    if (isTimeOver) settle?.resolve({ fault: ofTime(limits) })
    else if (crashes.has(signal)) settle?.resolve({ fault: ofMemory(limits) })
    over(new EvaluatorLost(`an evaluator ended (${signal ?? code}): ${lastWords.slice(0, lastWordsLengthMax)}`))
  })

  function over(error: EvaluatorLost): void {
    clearTimeout(starting)
    ready.reject(error)
    settle?.reject(error)
    ended.resolve()
  }

  return {
    async evaluate(request) {
      child.channel?.ref()
      await ready.promise
      const answer = Promise.withResolvers<EvaluatorReply>()
      settle = answer
      const watch = setTimeout(() => {
        isTimeOver = true
        child.kill('SIGKILL')
      }, clockMsMax(limits) + killAfterMs)
      child.send(request, (error) => {
        if (error !== null) answer.reject(new EvaluatorLost('an evaluator could not be asked', { cause: error }))
      })
      try {
        return await answer.promise
      } finally {
        clearTimeout(watch)
        settle = undefined
        child.channel?.unref()
      }
    },
    end: () => void child.kill('SIGKILL'),
    ended: ended.promise,
  }
}

function letGo(child: ChildProcess): void {
  child.unref()
  child.channel?.unref()
  // A pipe between two processes, which Node makes a socket.
  if (child.stderr !== null && 'unref' in child.stderr && typeof child.stderr.unref === 'function') child.stderr.unref()
}
