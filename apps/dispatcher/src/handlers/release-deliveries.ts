import { type Database, type JobPayloads, type Jobs, release, type Telemetry } from '@posthorn/engine'

/**
 * A publish that saw the subscription paused may commit after it was resumed and released: its deliveries are held and
 * nobody would look again. No publish takes this long, in seconds (two statements of at most 30 s each).
 */
const lastPassAfterSeconds = 90

/** Sends or cancels what was held for a subscription that is active again. */
export async function releaseDeliveries(
  { db, jobs, telemetry }: { db: Database; jobs: Jobs; telemetry: Telemetry },
  job: JobPayloads['release-deliveries'],
): Promise<void> {
  telemetry({ what: 'deliveries_released', count: await release(db, job.subscription_id, job.backfill) })
  if (!job.last)
    await jobs.sendLater('release-deliveries', { ...job, last: true }, job.subscription_id, lastPassAfterSeconds)
}
