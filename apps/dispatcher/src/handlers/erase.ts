import { type Database, eraseRunning, type Telemetry } from '@posthorn/engine'

/** A run ends behind the portion in which this time is over, in milliseconds; the next minute's goes on. */
const runMsMax = 60_000

/** Works on the erasures that are running. */
export async function erase({
  db,
  telemetry,
  monotonicMs,
}: {
  db: Database
  telemetry: Telemetry
  monotonicMs: () => number
}): Promise<void> {
  const endMs = monotonicMs() + runMsMax
  const count = await eraseRunning(db, () => monotonicMs() > endMs)
  if (count > 0) telemetry({ what: 'events_erased', count })
}
