/**
 * Makes the tests of subscriptions that somebody waits for. They are made beside the deliveries, in slots of their own, and
 * nothing of them is counted: not for the health of the subscription, and not in its history.
 */
import {
  type Database,
  finishTest,
  judgeAttempt,
  type TakenTest,
  type Telemetry,
  takeTest,
  type World,
} from '@posthorn/engine'
import { type AttemptingParts, makeAttempt } from './delivering.ts'

/** Tests under way at once in one process. */
const testsMax = 4

export type TestRound = {
  /** Takes what waits. Answers whether there may be more. */
  round(): Promise<boolean>
  /** Resolves when no test is under way. */
  ended(): Promise<void>
}

export function createTestRound(
  parts: AttemptingParts & { db: Database; world: World; telemetry: Telemetry },
  breakOff: AbortSignal,
): TestRound {
  const { db, world, telemetry } = parts
  const underWay = new Set<Promise<void>>()

  async function make(test: TakenTest): Promise<void> {
    const startedAtMs = world.now()
    const { request, outcome } = await makeAttempt(parts, test.claim, startedAtMs, breakOff)
    const record = judgeAttempt(test.claim, request, outcome, { startedAt: new Date(startedAtMs), random: 0 })
    await finishTest(db, test, record, request.body)
  }

  return {
    async round() {
      if (underWay.size >= testsMax) return false
      const test = await takeTest(db, world)
      if (test === undefined) return false
      const made = make(test)
        // Nobody is told the outcome then, and the asker hears that it is not known.
        .catch((error: unknown) => telemetry({ what: 'delivery_fault', deliveryId: test.id, error }))
        .finally(() => underWay.delete(made))
      underWay.add(made)
      return true
    },
    async ended() {
      await Promise.all(underWay)
    },
  }
}
