import { type Database, hold, type JobPayloads, type Telemetry } from '@posthorn/engine'

/** Takes the work of a paused, disabled or deleted subscription out of the backlog. */
export async function holdDeliveries(
  db: Database,
  telemetry: Telemetry,
  job: JobPayloads['hold-deliveries'],
): Promise<void> {
  telemetry({ what: 'deliveries_held', count: await hold(db, job.subscription_id) })
}
