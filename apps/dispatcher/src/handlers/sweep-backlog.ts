import { type Database, hold, type Telemetry } from '@posthorn/engine'

/** Holds what came into the backlog while its subscription was being paused, disabled or deleted. */
export async function sweepBacklog(db: Database, telemetry: Telemetry): Promise<void> {
  telemetry({ what: 'deliveries_held', count: await hold(db, null) })
}
