/**
 * How long rollups are kept, and in which grain. Attempts are counted in minutes; when an hour is over, its minutes are added
 * to it and kept beside it for a time, and hours are kept for longer. What is still a minute is in no hour, so the minutes
 * that are open and the hours add up to everything; so do the minutes that are open and those that are kept, as far back as
 * these reach.
 */
import { limits } from '@posthorn/contract'
import type { Database } from './db/database.ts'
import { deleteRollups, type OldRollups } from './db/sql/delete-rollups.ts'
import { rollUpMinutes } from './db/sql/roll-up-minutes.ts'

const minuteMs = 60_000
export const hourMs = 3_600_000
/** How long an hour must be over: most attempts that began in it are recorded by then, and the others are added later. */
const settlingMs = 5 * minuteMs
/** Kept minutes are deleted so much later than they are promised: who asks may have a clock that is behind. */
const deletionMarginMs = hourMs
/** Rows moved by one statement: a second's work, and the longest that a late record waits. */
const movedMax = 20_000
/** Rows deleted by one statement. */
const deletedMax = 10_000

/** Before this time there are only hours. A whole hour. */
export function minutesSinceMs(nowMs: number): number {
  return wholeHour(nowMs) - limits.metricsMinuteHours * hourMs
}

/** Before this time there is nothing. */
export function hoursSinceMs(nowMs: number): number {
  return wholeHour(nowMs) - limits.metricsDays * 24 * hourMs
}

/** The beginning of the hour. */
export function wholeHour(ms: number): number {
  return Math.floor(ms / hourMs) * hourMs
}

/** Adds the minutes of hours that are over to them, and deletes what has been kept for its time. May be broken off anywhere. */
export async function rollUpAttempts(
  { pool }: Database,
  now: Date,
  rowsMax: number = movedMax,
): Promise<{ rolledUp: number; deleted: number }> {
  const nowMs = now.getTime()
  const over = new Date(wholeHour(nowMs - settlingMs))
  const rolledUp = await untilFewer(rowsMax, () => rollUpMinutes(pool, over, rowsMax))
  const deleteBefore = (table: OldRollups, beforeMs: number) =>
    untilFewer(deletedMax, () => deleteRollups(pool, table, new Date(beforeMs), deletedMax))
  const minutes = await deleteBefore('attempt_minute_kept', minutesSinceMs(nowMs) - deletionMarginMs)
  const hours = await deleteBefore('attempt_hour', hoursSinceMs(nowMs))
  return { rolledUp, deleted: minutes + hours }
}

/** Repeats what does at most so much at a time until it has done less, and adds up. */
async function untilFewer(most: number, work: () => Promise<number>): Promise<number> {
  let sum = 0
  for (let last = most; last === most; sum += last) last = await work()
  return sum
}
