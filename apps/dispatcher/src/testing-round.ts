/**
 * Makes the tests of subscriptions and the checks of receivers that somebody waits for. They are made beside the
 * deliveries, in slots of their own, and nothing of them is counted: not for the health of the subscription, and not in its
 * history. A check may take half a minute, so it takes no slot of a test.
 */
import {
  type Database,
  finishCheck,
  finishTest,
  judgeAttempt,
  type TakenTest,
  type Telemetry,
  takeTest,
  type World,
} from '@posthorn/engine'
import { makeAttempt } from './delivering.ts'
import { type CheckingParts, checkReceiver } from './receiver-checking.ts'

/** Tests, and checks, under way at once in one process. */
const testsMax = 4
const checksMax = 2

export type TestRound = {
  /** Takes what waits. Answers whether there may be more. */
  round(): Promise<boolean>
  /** From now on no check begins a further request. */
  drain(): void
  /** Resolves when none of either is under way. */
  ended(): Promise<void>
}

export function createTestRound(
  parts: CheckingParts & { db: Database; world: World; telemetry: Telemetry },
  breakOff: AbortSignal,
): TestRound {
  const { db, world, telemetry } = parts
  const kinds = [
    { isReceiverCheck: false, max: testsMax, make: makeTest, underWay: new Set<Promise<void>>() },
    { isReceiverCheck: true, max: checksMax, make: makeCheck, underWay: new Set<Promise<void>>() },
  ]
  const draining = new AbortController()

  async function makeTest(test: TakenTest): Promise<void> {
    const startedAtMs = world.now()
    const { request, outcome } = await makeAttempt(parts, test.claim, startedAtMs, breakOff)
    const record = judgeAttempt(test.claim, request, outcome, { startedAt: new Date(startedAtMs), random: 0 })
    await finishTest(db, test, record, request.body)
  }

  async function makeCheck(test: TakenTest): Promise<void> {
    await finishCheck(db, test, await checkReceiver(parts, test, { draining: draining.signal, breakOff }))
  }

  /** Takes one that waits, if there is a slot for it. */
  async function take({ isReceiverCheck, max, make, underWay }: (typeof kinds)[number]): Promise<boolean> {
    if (underWay.size >= max) return false
    const test = await takeTest(db, world, { isReceiverCheck })
    if (test === undefined) return false
    const made = make(test)
      // Nobody is told the outcome then, and the asker hears that it is not known.
      .catch((error: unknown) => telemetry({ what: 'delivery_fault', deliveryId: test.id, error }))
      .finally(() => underWay.delete(made))
    underWay.add(made)
    return true
  }

  return {
    async round() {
      let isTaken = false
      for (const kind of kinds) isTaken = (await take(kind)) || isTaken
      return isTaken
    },
    drain: () => draining.abort(),
    async ended() {
      await Promise.all(kinds.flatMap(({ underWay }) => [...underWay]))
    },
  }
}
