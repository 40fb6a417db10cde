/**
 * What counts as failure, and when nothing but failure has lasted too long.
 *
 * A subscription fails from its first failed attempt until the next one that is accepted. It is disabled when it has done
 * so for the whole window and has really been tried in it: with at least `failuresMin` failed attempts, in at least
 * `fifthsMin` of the window's five equal parts. One attempt that failed long ago, with nothing to send since, proves
 * nothing about today; a delivery that fails through the default schedule, which takes three days, does. The operator is
 * told at half and at nine tenths of the window by the same rule, with the window so much shorter.
 *
 * A timer decides and not the next attempt, because an open breaker makes few and a subscription may have none left.
 */
import type { FailureCode } from '@posthorn/contract'
import type { Database } from './db/database.ts'
import { type FailingRow, judgeFailing } from './db/sql/judge-failing.ts'
import { type Tx, transaction } from './db/transaction.ts'
import { requestHolding } from './holding.ts'
import type { Jobs } from './jobs.ts'

/** How long nothing but failure is put up with when the operator says nothing else, in hours: five days. */
export const disableAfterHoursDefault = 120
/** The parts of the window at which the operator is told, in percent. */
const toldAtPercent: readonly number[] = [50, 90]
const failuresMin = 5
const fifthsMin = 3
/** Subscriptions judged by one statement. */
const rowsPerPiece = 50

/** Our faults, which say nothing of a receiver. */
export const faultsOfOurs: readonly FailureCode[] = ['aborted', 'internal_error', 'egress_proxy_failed']
/** What a receiver does that cannot be reached, or does not answer. */
const unreachable: ReadonlySet<FailureCode> = new Set([
  'dns_not_found',
  'connect_refused',
  'connect_timeout',
  'connection_reset',
  'tls_expired',
  'tls_untrusted',
  'tls_error',
  'response_timeout',
])

/** Whether an attempt failed because of us, and not because of its receiver. */
export function isOurFault(failureCode: FailureCode): boolean {
  return faultsOfOurs.includes(failureCode)
}

/** Whether the receiver could not be reached or gave no answer at all. */
export function isUnreachable(failureCode: FailureCode): boolean {
  return unreachable.has(failureCode)
}

export type FailingParts = {
  db: Database
  jobs: Jobs
  /** How long nothing but failure is put up with, in milliseconds. */
  disableAfterMs: number
  /** The tenant about whose subscriptions nobody is told. */
  operatorTenant: string
}

/**
 * Disables the subscriptions that have failed for too long, and tells of those that come near it. May be run by several
 * at once, and again after having been broken off: each subscription is judged, told of and held in one transaction.
 *
 * @returns what was decided
 */
export async function judgeSubscriptions(parts: FailingParts): Promise<{ told: number; disabled: number }> {
  const counts = { told: 0, disabled: 0 }
  let after: string | null = null
  for (;;) {
    const rows: FailingRow[] = await transaction(parts.db, (tx) => judgePiece(tx, parts, after))
    for (const { verdict } of rows) {
      if (verdict === 'told') counts.told += 1
      if (verdict === 'disabled') counts.disabled += 1
    }
    after = rows.at(-1)?.id ?? null
    if (after === null) return counts
  }
}

async function judgePiece(tx: Tx, parts: FailingParts, after: string | null): Promise<FailingRow[]> {
  const { disableAfterMs, operatorTenant } = parts
  const rules = { toldAtPercent, failuresMin, fifthsMin, rowsMax: rowsPerPiece, ours: faultsOfOurs }
  const rows = await judgeFailing(tx, { after, windowMs: disableAfterMs, operatorTenant, ...rules })
  for (const { id, verdict } of rows) if (verdict === 'disabled') await requestHolding(tx, parts.jobs, id)
  return rows
}
