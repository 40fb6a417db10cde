/**
 * How long rollups are kept, and in which grain: minutes first, then hours, then not at all. A query reads both tables and
 * adds them up: each attempt is counted in exactly one row of one of them.
 */
import { limits } from '@posthorn/contract'
import type { Database } from './db/database.ts'
import { deleteHours } from './db/sql/delete-hours.ts'
import { rollUpHour } from './db/sql/roll-up-hour.ts'

const hourMs = 3_600_000
/** Rows deleted by one statement. */
const deletedMax = 10_000

/** Before this time there are only hours. A whole hour. */
export function minutesSinceMs(nowMs: number): number {
  return Math.floor(nowMs / hourMs) * hourMs - limits.metricsMinuteHours * hourMs
}

/** Before this time there is nothing. */
export function hoursSinceMs(nowMs: number): number {
  return Math.floor(nowMs / hourMs) * hourMs - limits.metricsDays * 24 * hourMs
}

/** Turns old minutes into hours, one hour a transaction, and deletes old hours. May be broken off anywhere. */
export async function rollUpOldMinutes({ pool }: Database, now: Date): Promise<{ hours: number; deleted: number }> {
  let hours = 0
  while (await rollUpHour(pool, new Date(minutesSinceMs(now.getTime())))) hours += 1
  let deleted = 0
  for (let last = deletedMax; last === deletedMax; deleted += last) {
    last = await deleteHours(pool, new Date(hoursSinceMs(now.getTime())), deletedMax)
  }
  return { hours, deleted }
}
