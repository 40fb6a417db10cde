/**
 * A few evaluators, shared by all transforms of this process. They are started when something is to be done and ended when
 * nothing has been for a while, so whoever has no transforms has none of them.
 *
 * An evaluator that ends with a transform in it takes nothing else along: what waits goes to the next one. If it is not
 * plain that the transform is to blame, that is tried once more before it is given up as a fault of ours.
 */

import type { EvaluationLimits, EvaluatorAnswer, EvaluatorRequest } from './evaluator/protocol.ts'
import { type Evaluator, EvaluatorLost, startEvaluator } from './evaluator-process.ts'
import { createTurns, type Turn } from './turns.ts'

/** How often an evaluator may be lost with one and the same request in it. */
const lossesMax = 2
/** Requests that may wait. Beyond it they are refused at once. */
const waitingMax = 10_000
const idleMsDefault = 60_000

/** No evaluator could do it, or none in time. It says nothing about the transform. */
export class EvaluatorsUnavailable extends Error {
  override readonly name = 'EvaluatorsUnavailable'
  readonly code = 'evaluators_unavailable'
}

export type EvaluatorsOptions = {
  limits: EvaluationLimits
  /** Evaluators at the same time. */
  processes: number
  /** When an evaluator without work is ended, in milliseconds; a minute when left out. */
  idleMs?: number
  start?: (limits: EvaluationLimits) => Evaluator
}

export type Asking = {
  /** Whose turn it takes. */
  turn: Turn
  /** How long it may wait for an evaluator, in milliseconds. */
  waitMsMax: number
  /** Gives it up. */
  signal?: AbortSignal | undefined
}

export type Evaluators = {
  /** @throws EvaluatorsUnavailable; the reason of the signal */
  evaluate(request: EvaluatorRequest, asking: Asking): Promise<EvaluatorAnswer>
  /** Ends all of them, with whatever they do. */
  close(): void
}

type Work = Turn & {
  request: EvaluatorRequest
  losses: number
  /** Says that it waits no more. */
  begun(): void
  resolve(answer: EvaluatorAnswer): void
  reject(error: unknown): void
}

export function createEvaluators(options: EvaluatorsOptions): Evaluators {
  const { limits, processes, idleMs = idleMsDefault, start = startEvaluator } = options
  const turns = createTurns<Work>(processes)
  /** Those without work, with what ends them; the one that worked last is at the end. */
  const idle = new Map<Evaluator, NodeJS.Timeout>()
  const all = new Set<Evaluator>()
  const unanswered = new Set<Work>()
  let closed = false

  function goOn(): void {
    while (idle.size > 0 || all.size < processes) {
      const work = turns.take()
      if (work === undefined) return
      void doIt([...idle.keys()].at(-1) ?? started(), work)
    }
  }

  function started(): Evaluator {
    const evaluator = start(limits)
    all.add(evaluator)
    void evaluator.ended.then(() => drop(evaluator))
    return evaluator
  }

  function drop(evaluator: Evaluator): void {
    all.delete(evaluator)
    clearTimeout(idle.get(evaluator))
    idle.delete(evaluator)
  }

  async function doIt(evaluator: Evaluator, work: Work): Promise<void> {
    clearTimeout(idle.get(evaluator))
    idle.delete(evaluator)
    work.begun()
    const begunMs = performance.now()
    try {
      const reply = await evaluator.evaluate(work.request)
      if ('starved' in reply) work.reject(unavailable('the machine is too busy'))
      else work.resolve(reply)
    } catch (error) {
      drop(evaluator)
      evaluator.end()
      work.losses += 1
      if (closed || !(error instanceof EvaluatorLost) || work.losses >= lossesMax) work.reject(unavailable(error))
      else turns.wait(work)
    }
    turns.ended(work, performance.now() - begunMs)
    if (all.has(evaluator)) idle.set(evaluator, setTimeout(() => evaluator.end(), idleMs).unref())
    if (!closed) goOn()
  }

  return {
    async evaluate(request, { turn, waitMsMax, signal }) {
      signal?.throwIfAborted()
      if (closed) throw unavailable('they are closed')
      if (turns.waiting >= waitingMax) throw unavailable('too many transforms wait')
      const { promise, resolve, reject } = Promise.withResolvers<EvaluatorAnswer>()
      const onAbort = (): void => reject(signal?.reason)
      signal?.addEventListener('abort', onAbort)
      const watch = setTimeout(() => reject(unavailable(`none was free for ${waitMsMax} ms`)), waitMsMax)
      const begun = (): void => clearTimeout(watch)
      const work: Work = { ...turn, request, losses: 0, begun, resolve, reject }
      unanswered.add(work)
      turns.wait(work)
      goOn()
      try {
        return await promise
      } finally {
        unanswered.delete(work)
        turns.leave(work)
        clearTimeout(watch)
        signal?.removeEventListener('abort', onAbort)
      }
    },
    close() {
      closed = true
      for (const work of unanswered) work.reject(unavailable('they are closed'))
      for (const evaluator of all) evaluator.end()
    },
  }
}

function unavailable(cause: unknown): EvaluatorsUnavailable {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new EvaluatorsUnavailable(`no transform can be evaluated: ${reason}`, { cause })
}
