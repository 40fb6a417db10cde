import { applyRetention, type Database, type Retention, type Telemetry } from '@posthorn/engine'

/** A run ends behind the portion in which this time is over, in milliseconds; the next hour's goes on. */
const runMsMax = 15 * 60_000

/** Drops what is older than it is kept. */
export async function keepRetention(
  parts: { db: Database; telemetry: Telemetry; retention: Retention; monotonicMs: () => number },
  nowMs: number,
): Promise<void> {
  const { db, telemetry, retention, monotonicMs } = parts
  const endMs = monotonicMs() + runMsMax
  const { dropped, kept, erased } = await applyRetention(db, retention, nowMs, () => monotonicMs() > endMs)
  if (dropped.length + kept.length > 0) telemetry({ what: 'retention_applied', dropped, kept })
  if (erased > 0) telemetry({ what: 'events_erased', count: erased })
}
