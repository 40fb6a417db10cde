/**
 * Metrics for people, from rollups. The time asked for is widened to what the rollups can tell: whole minutes, and whole
 * hours where the minutes are not kept any more.
 */
import { limits, type MetricInterval, metricIntervals, Problem, type ProblemPlace } from '@posthorn/contract'
import type { Database } from './db/database.ts'
import {
  type CauseRow,
  type MetricRow,
  type MetricsShape,
  type RollupFilter,
  type RollupSpan,
  selectCauses,
  selectDeliveryMetrics,
} from './db/sql/select-delivery-metrics.ts'
import { hourMs, hoursSinceMs, minutesSinceMs, wholeHour } from './rollups.ts'
import type { TimeRange } from './time-range.ts'
import type { World } from './world.ts'

export type { CauseRow, MetricRow } from './db/sql/select-delivery-metrics.ts'

const minuteMs = 60_000
/** What is looked at when nothing is said: a day. */
const rangeMsDefault = 24 * hourMs
const causeExamplesMax = 5

/** What of the filter grammar rollups keep, with its times. */
export type MetricsFilter = TimeRange & RollupFilter

/** What is to be told, and of what. */
export type MetricsQuestion = Pick<MetricsShape, 'groupBy' | 'waits' | 'times'> & {
  interval: MetricInterval | undefined
}

/** In Unix milliseconds; `before` is not in it. */
type Range = { from: number; before: number }

export type Counted<Row> = { since: Date; until: Date; rows: Row[]; hasMore: boolean }

/**
 * @throws Problem `invalid_request` when so fine an interval is not kept for that time, or would make too many rows
 */
export async function getDeliveryMetrics(
  { db, world }: { db: Database; world: World },
  filter: MetricsFilter,
  { interval, ...shape }: MetricsQuestion,
): Promise<Counted<MetricRow>> {
  const range = widened(filter, world.now())
  const intervalMs = interval && metricIntervals[interval]
  if (intervalMs !== undefined) refuseFineness(range, intervalMs, world.now())
  const spans = rollupsOf(range, intervalMs ?? hourMs)
  const groupsMax = limits.metricsGroupsMax
  const rows = await selectDeliveryMetrics(db.pool, spans, filter, { ...shape, intervalMs, groupsMax })
  const { kept, hasMore } = firstGroups(rows)
  return { since: new Date(range.from), until: new Date(range.before), rows: kept, hasMore }
}

/** Failures by failure code and receiver. */
export async function getCauses(
  { db, world }: { db: Database; world: World },
  filter: MetricsFilter,
): Promise<Counted<CauseRow>> {
  const range = widened(filter, world.now())
  const rows = await selectCauses(db.pool, rollupsOf(range, hourMs), filter, {
    rowsMax: limits.metricsGroupsMax,
    examplesMax: causeExamplesMax,
  })
  return {
    since: new Date(range.from),
    until: new Date(range.before),
    rows: rows.slice(0, limits.metricsGroupsMax),
    hasMore: rows.length > limits.metricsGroupsMax,
  }
}

/** The part of the answer that is told, when there is a group more than that. */
function firstGroups(rows: readonly MetricRow[]): { kept: MetricRow[]; hasMore: boolean } {
  const attempts = new Map<string | null, number>()
  for (const row of rows) attempts.set(row.group_name, (attempts.get(row.group_name) ?? 0) + row.attempts)
  const inOrder = [...attempts].sort(([, a], [, b]) => b - a)
  const names = new Set(inOrder.slice(0, limits.metricsGroupsMax).map(([name]) => name))
  return { kept: rows.filter((row) => names.has(row.group_name)), hasMore: attempts.size > names.size }
}

/**
 * Where a time is to be read: in minutes that are open, whatever the time; and in hours, but for the parts of hours at its
 * ends, and for intervals within an hour, which are in the minutes that are kept. Every moment is in open minutes and in one
 * of the others.
 */
function rollupsOf({ from, before }: Range, grainMs: number): RollupSpan[] {
  const [firstHour, lastHour] = [wholeHour(from + hourMs - 1), wholeHour(before)]
  const hoursFrom = grainMs < hourMs ? before : Math.min(firstHour, before)
  const hoursBefore = Math.max(hoursFrom, lastHour)
  const spans: readonly { table: RollupSpan['table']; from: number; before: number }[] = [
    { table: 'attempt_minute', from, before },
    { table: 'attempt_minute_kept', from, before: hoursFrom },
    { table: 'attempt_hour', from: hoursFrom, before: hoursBefore },
    { table: 'attempt_minute_kept', from: hoursBefore, before },
  ]
  return spans
    .filter((span) => span.from < span.before || span.table === 'attempt_minute')
    .map((span) => ({ table: span.table, from: new Date(span.from), before: new Date(span.before) }))
}

/** The time that is counted: whole minutes, and whole hours where there are only hours. */
function widened({ sinceMs, untilMs }: TimeRange, nowMs: number): Range {
  const until = untilMs ?? nowMs + 1
  const since = sinceMs ?? Math.min(until, nowMs) - rangeMsDefault
  const oldest = minutesSinceMs(nowMs)
  const grain = (ms: number) => (ms < oldest ? hourMs : minuteMs)
  const from = Math.max(hoursSinceMs(nowMs), Math.floor(since / grain(since)) * grain(since))
  // Within reason: a bound beyond all time is no date.
  const before = Math.min(Math.ceil(until / grain(until)) * grain(until), nowMs + limits.metricsDays * 24 * hourMs)
  return { from, before: Math.max(from, before) }
}

function refuseFineness(range: Range, intervalMs: number, nowMs: number): void {
  const minutesSince = minutesSinceMs(nowMs)
  if (intervalMs < hourMs && range.from < minutesSince) {
    const detail = `is kept for ${limits.metricsMinuteHours} hours, since ${new Date(minutesSince).toISOString()}: take 1h or 1d, or a later since`
    throw refused([{ pointer: '?interval', detail }], `The interval ${detail}.`)
  }
  const count = Math.ceil((range.before - range.from) / intervalMs)
  if (count > limits.metricsIntervalsMax) {
    const detail = `would make ${count} intervals, and at most ${limits.metricsIntervalsMax} are told: take a longer interval, or a shorter time`
    throw refused([{ pointer: '?interval', detail }], `The interval ${detail}.`)
  }
}

function refused(errors: readonly ProblemPlace[], detail: string): Problem {
  return new Problem('invalid_request', detail, { errors })
}
