import { type Database, rollUpOldMinutes, type Telemetry } from '@posthorn/engine'

/** Makes hours of the rollups of old minutes, and ends those of old hours. */
export async function rollUpAttempts(db: Database, telemetry: Telemetry, now: Date): Promise<void> {
  const { hours, deleted } = await rollUpOldMinutes(db, now)
  if (hours + deleted > 0) telemetry({ what: 'attempts_rolled_up', hours, deleted })
}
