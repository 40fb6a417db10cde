import { type Database, type JobPayloads, release, type Telemetry } from '@posthorn/engine'

/** Sends or cancels what was held for a subscription that is active again. */
export async function releaseDeliveries(
  db: Database,
  telemetry: Telemetry,
  job: JobPayloads['release-deliveries'],
): Promise<void> {
  telemetry({ what: 'deliveries_released', count: await release(db, job.subscription_id, job.backfill) })
}
