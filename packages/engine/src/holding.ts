/**
 * Nothing vanishes while a subscription is paused or disabled: its deliveries are held, and resume brings them back.
 *
 * The truth is the subscription's state, which every claim looks at; moving the rows only makes the deliveries *say* so
 * and keeps the backlog small. It is therefore done in pieces, by a job, and by a sweep for what slipped in between.
 */
import type { Uuid } from '@posthorn/contract'
import type { Database } from './db/database.ts'
import { cancelHeld } from './db/sql/cancel-held.ts'
import { finishRelease } from './db/sql/finish-release.ts'
import { holdDeliveries } from './db/sql/hold-deliveries.ts'
import { releaseDeliveries } from './db/sql/release-deliveries.ts'
import { selectInactiveWork } from './db/sql/select-inactive-work.ts'
import type { Tx } from './db/transaction.ts'
import type { Jobs } from './jobs.ts'

/** Deliveries moved by one statement: short enough to hold no lock for long. */
const rowsPerPiece = 1_000

/** Asks, within the change that paused or disabled a subscription, that its work be held. */
export async function requestHolding(tx: Tx, jobs: Jobs, subscriptionId: Uuid): Promise<void> {
  await jobs.send(tx, 'hold-deliveries', { subscription_id: subscriptionId }, subscriptionId)
}

/**
 * Asks, within the change that deleted a subscription, that its work be canceled, and once more a little later: what was
 * being published meanwhile is held, and nobody else would come across it.
 */
export async function requestCanceling(tx: Tx, jobs: Jobs, subscriptionId: Uuid): Promise<void> {
  // With a key of its own: a pause that still waits must not take its place.
  const key = `${subscriptionId}:deleted`
  await jobs.send(tx, 'hold-deliveries', { subscription_id: subscriptionId, again: true }, key)
}

/**
 * Asks, within the change that made a subscription active again, that its held deliveries be sent, or canceled.
 *
 * @param before of `none`: only what is older than this id is canceled, and what was held since is sent. So it means the
 *   same however late it is done, also after another pause and another resume.
 */
export async function requestRelease(
  tx: Tx,
  jobs: Jobs,
  subscriptionId: Uuid,
  backfill: 'held' | 'none',
  before?: Uuid,
): Promise<void> {
  const bound = backfill === 'none' && before !== undefined ? { before } : {}
  const key = 'before' in bound ? `${subscriptionId}:${bound.before}` : subscriptionId
  const payload = { subscription_id: subscriptionId, backfill, ...bound, last: false }
  await jobs.send(tx, 'release-deliveries', payload, key)
}

/**
 * Holds the work of an inactive subscription; what is waiting or held for a deleted one is canceled. Answers how many
 * deliveries were moved.
 */
export async function hold(db: Database, subscriptionId: Uuid): Promise<number> {
  const held = await inPieces(() => holdDeliveries(db.pool, subscriptionId, rowsPerPiece))
  return held + (await inPieces(() => cancelHeld(db.pool, subscriptionId, rowsPerPiece)))
}

/** Holds whatever came into the backlog while its subscription was being paused, disabled or deleted. Answers how much. */
export async function holdLatecomers(db: Database): Promise<number> {
  let moved = 0
  for (const subscriptionId of await selectInactiveWork(db.pool)) moved += await hold(db, subscriptionId)
  return moved
}

/**
 * Sends or cancels what is held for an active subscription. Answers how many deliveries were moved. An ordered
 * subscription sends nothing before the last of them is moved.
 *
 * @param before of `none`: only what is older is canceled, and the rest is sent
 */
export async function release(
  db: Database,
  subscriptionId: Uuid,
  backfill: 'held' | 'none',
  before?: Uuid,
): Promise<number> {
  const movePieces = (options: { send: boolean; before?: Uuid | undefined }) =>
    inPieces(() => releaseDeliveries(db.pool, subscriptionId, { ...options, rowsMax: rowsPerPiece }))
  let moved = 0
  if (backfill === 'none') moved += await movePieces({ send: false, before })
  if (backfill === 'held' || before !== undefined) moved += await movePieces({ send: true })
  await finishRelease(db.pool, subscriptionId)
  return moved
}

async function inPieces(movePiece: () => Promise<number>): Promise<number> {
  let total = 0
  for (;;) {
    const moved = await movePiece()
    total += moved
    if (moved === 0) return total
  }
}
