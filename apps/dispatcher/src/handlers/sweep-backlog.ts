import { type Database, deleteOldIdempotencyKeys, holdLatecomers, type Telemetry } from '@posthorn/engine'

/**
 * Holds what came into the backlog while its subscription was being paused, disabled or deleted, and takes away
 * idempotency keys whose time is over.
 */
export async function sweepBacklog(db: Database, telemetry: Telemetry): Promise<void> {
  const count = await holdLatecomers(db)
  if (count > 0) telemetry({ what: 'deliveries_held', count })
  await deleteOldIdempotencyKeys(db)
}
