import { type Database, ensurePartitions } from '@posthorn/engine'

/** Makes the partitions of the days ahead, long before the first row needs them. */
export async function makePartitions(db: Database, now: Date): Promise<void> {
  await ensurePartitions(db.pool, { now })
}
