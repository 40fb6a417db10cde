import { type Database, type JobPayloads, type Jobs, release, type Telemetry } from '@posthorn/engine'

/**
 * A publish that saw the subscription paused may commit after it was resumed and released, or deleted: its deliveries are
 * held and nobody would look again. No publish takes this long, in seconds (two statements of at most 30 s each).
 */
export const lastPassAfterSeconds = 90

/** Sends or cancels what was held for a subscription that is active again, and looks once more later. */
export async function releaseDeliveries(
  { db, jobs, telemetry }: { db: Database; jobs: Jobs; telemetry: Telemetry },
  job: JobPayloads['release-deliveries'],
): Promise<void> {
  telemetry({ what: 'deliveries_released', count: await release(db, job.subscription_id, job.backfill, job.before) })
  if (job.last) return
  // With a key of its own, so that it stands in no other resume's way. And always to send: it may also meet what a later
  // pause held, which nobody has asked to cancel.
  const lastPass = { subscription_id: job.subscription_id, backfill: 'held', last: true } as const
  await jobs.sendLater('release-deliveries', lastPass, `${job.subscription_id}:last`, lastPassAfterSeconds)
}
