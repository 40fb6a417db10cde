/**
 * A receiver that keeps its answers until it is told, so that a test decides which requests are in flight.
 */
import type { Answer, ReceivedRequest } from 'posthorn/receiver'
import { createSignals } from './signals.ts'

export type Gate = {
  /** For `ReceiverOptions`. */
  answer(request: ReceivedRequest): Promise<Answer>
  /** Requests that wait for their answer now, oldest first. */
  readonly waiting: readonly ReceivedRequest[]
  /** The most requests of one path that ever waited at once. */
  readonly mostAtOnce: number
  /** Resolves when so many requests wait at once. */
  holds(count: number): Promise<void>
  /** Answers the oldest ones that wait, `count` of them. */
  let(count: number, answer?: Answer): void
  /** Answers one of those that wait. */
  reply(request: ReceivedRequest | undefined, answer: Answer): void
  /** Answers all that wait, and from now on everything at once. */
  open(answer?: Answer): void
}

/** @param isHeld which requests are kept; the others are answered with 204 at once */
export function createGate(isHeld: (request: ReceivedRequest) => boolean = () => true): Gate {
  const { notify, until } = createSignals()
  const waiting: { request: ReceivedRequest; resolve(answer: Answer): void }[] = []
  const byPath = new Map<string, number>()
  let mostAtOnce = 0
  let openAnswer: Answer | undefined

  return {
    async answer(request) {
      if (openAnswer !== undefined) return openAnswer
      if (!isHeld(request)) return { status: 204 }
      const now = (byPath.get(request.path) ?? 0) + 1
      byPath.set(request.path, now)
      mostAtOnce = Math.max(mostAtOnce, now)
      const answer = Promise.withResolvers<Answer>()
      waiting.push({ request, resolve: answer.resolve })
      notify()
      try {
        return await answer.promise
      } finally {
        byPath.set(request.path, (byPath.get(request.path) ?? 1) - 1)
      }
    },
    get waiting() {
      return waiting.map((one) => one.request)
    },
    get mostAtOnce() {
      return mostAtOnce
    },
    async holds(count) {
      await until(() => waiting.length >= count)
    },
    let(count, answer = { status: 204 }) {
      for (const one of waiting.splice(0, count)) one.resolve(answer)
    },
    reply(request, answer) {
      const index = waiting.findIndex((one) => one.request === request)
      for (const one of waiting.splice(index, index < 0 ? 0 : 1)) one.resolve(answer)
    },
    open(answer = { status: 204 }) {
      openAnswer = answer
      for (const one of waiting.splice(0)) one.resolve(answer)
    },
  }
}
