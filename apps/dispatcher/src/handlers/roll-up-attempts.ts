import { type Database, rollUpAttempts as rollUp, type Telemetry } from '@posthorn/engine'

/** Adds the rollups of minutes to those of their hours, and ends what has been kept for its time. */
export async function rollUpAttempts(db: Database, telemetry: Telemetry, now: Date): Promise<void> {
  const { rolledUp, deleted } = await rollUp(db, now)
  if (rolledUp + deleted > 0) telemetry({ what: 'attempts_rolled_up', rolledUp, deleted })
}
