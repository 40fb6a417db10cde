/**
 * Checking a receiver: several requests to a subscription, one after the other, and a scorecard of how it treats them.
 *
 * It goes the way of a test (`subscription-tests.ts`): written down, taken by a dispatcher for good, and answered with what
 * came of it. It bears on nobody's health, backlog or history, and a dispatcher that dies in the middle leaves the asker
 * without an answer, and sends nothing again.
 */
import { Problem, type Uuid } from '@posthorn/contract'
import type { AttemptRequest, Claim } from './attempt.ts'
import type { Database } from './db/database.ts'
import type { AttemptRecord } from './db/sql/record-attempts.ts'
import type { RequestedCheck } from './receiver-check-requests.ts'
import { requestTest, type TakenTest, type TestOutcome, testOutcome, writeOutcome } from './subscription-tests.ts'
import type { Within } from './tenancy.ts'
import type { World } from './world.ts'

/** What is kept of the bodies of a check, in bytes: nine requests make a long answer. */
const shownBytesMax = 2_048

/** A request of a check that was made. */
export type MadeRequest = { check: RequestedCheck; outcome: TestOutcome & { requestBytes: number } }

/** What came of one request of a check. */
export type CheckedRequest =
  | MadeRequest
  /** Why it was not made: another one came to nothing, or there was no time. */
  | { check: RequestedCheck; notRun: string }
  | { check: RequestedCheck; notApplicable: string }

/** What came of a check. */
export type ReceiverCheckOutcome = {
  eventType: string
  startedAt: string
  tookMs: number
  /** An answer that takes longer counts as late, in milliseconds. */
  lateAfterMs: number
  requests: CheckedRequest[]
}

/**
 * Has the receiver of a subscription checked, and waits for what came of it.
 *
 * @throws Problem as `testSubscription`
 */
export async function checkReceiver(
  parts: { db: Database; world: World },
  subscriptionId: Uuid,
  within: Within,
  asked: { eventType?: string; actor: string },
): Promise<ReceiverCheckOutcome> {
  const outcome = await requestTest(parts, subscriptionId, within, { ...asked, isReceiverCheck: true })
  // A dispatcher of a version that knows no checks takes one for a plain test.
  if (outcome === null || typeof outcome !== 'object' || !('requests' in outcome)) {
    throw new Problem(
      'outcome_unknown',
      'The dispatcher that took the check cannot make one: it runs an older version. It sent one test.',
    )
  }
  // Written by `finishCheck` and by nobody else.
  return outcome as ReceiverCheckOutcome
}

/** Writes down what came of a check. */
export async function finishCheck(db: Database, { id }: TakenTest, outcome: ReceiverCheckOutcome): Promise<void> {
  await writeOutcome(db, id, outcome)
}

/** What is kept of one request of a check. */
export function checkedRequest(
  check: RequestedCheck,
  claim: Claim,
  record: AttemptRecord,
  { body }: AttemptRequest,
): MadeRequest {
  const outcome = testOutcome(claim, record, beginningOf(body))
  const answered = record.responseBody.subarray(0, shownBytesMax)
  return {
    check,
    outcome: {
      ...outcome,
      requestBytes: Buffer.byteLength(body),
      responseBody: Buffer.from(answered).toString('base64'),
      responseTruncated: record.responseTruncated || record.responseBody.length > shownBytesMax,
    },
  }
}

/** Whole characters; what a padded body begins with is only space. */
function beginningOf(body: string): string {
  const text = body.length > shownBytesMax ? `${body.slice(0, shownBytesMax)}…` : body
  return text.toWellFormed()
}
