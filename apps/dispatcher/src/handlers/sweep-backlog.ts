import {
  type Database,
  deleteOldIdempotencyKeys,
  expireOldDrafts,
  holdLatecomers,
  type Telemetry,
} from '@posthorn/engine'

/**
 * Holds what came into the backlog while its subscription was being paused, disabled or deleted, takes away idempotency
 * keys whose time is over, and ends drafts of replays that nobody ran.
 */
export async function sweepBacklog(db: Database, telemetry: Telemetry): Promise<void> {
  const count = await holdLatecomers(db)
  if (count > 0) telemetry({ what: 'deliveries_held', count })
  await deleteOldIdempotencyKeys(db)
  const expired = await expireOldDrafts(db)
  if (expired > 0) telemetry({ what: 'drafts_expired', count: expired })
}
