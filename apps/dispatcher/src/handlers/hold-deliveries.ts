import { type Database, hold, type JobPayloads, type Jobs, type Telemetry } from '@posthorn/engine'
import { lastPassAfterSeconds } from './release-deliveries.ts'

/** Takes the work of a paused, disabled or deleted subscription out of the backlog. */
export async function holdDeliveries(
  { db, jobs, telemetry }: { db: Database; jobs: Jobs; telemetry: Telemetry },
  job: JobPayloads['hold-deliveries'],
): Promise<void> {
  telemetry({ what: 'deliveries_held', count: await hold(db, job.subscription_id) })
  if (!job.again) return
  const lastPass = { ...job, again: false }
  await jobs.sendLater('hold-deliveries', lastPass, `${job.subscription_id}:last`, lastPassAfterSeconds)
}
