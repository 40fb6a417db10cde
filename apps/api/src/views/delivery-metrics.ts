import {
  type Causes,
  type DeliveryMetric,
  type DeliveryMetrics,
  formatId,
  type MetricGrouping,
  type MetricInterval,
  type MetricMeasure,
  metricMeasureNames,
  metricMeasuresDefault,
} from '@posthorn/contract'
import {
  type CauseRow,
  type Counted,
  isOurFault,
  type MetricRow,
  type MetricsQuestion,
  percentile,
} from '@posthorn/engine'

export type MetricsShape = {
  measures: readonly MetricMeasure[]
  groupBy: MetricGrouping | undefined
  interval: MetricInterval | undefined
}

/** The words of `measures`, whose form the schema has checked. */
export function measuresOf(text: string | undefined): readonly MetricMeasure[] {
  if (text === undefined) return metricMeasuresDefault
  const words = new Set(text.split(','))
  return metricMeasureNames.filter((name) => words.has(name))
}

/** What must be counted for the measures. */
export function questionOf({ measures, groupBy, interval }: MetricsShape): MetricsQuestion {
  const some = (kind: 'wait' | 'latency') => measures.some((measure) => measure.startsWith(`${kind}_`))
  return { groupBy, interval, waits: some('wait'), times: some('latency') }
}

export function deliveryMetricsView(counted: Counted<MetricRow>, shape: MetricsShape): DeliveryMetrics {
  const rows = counted.rows.length === 0 && isWhole(shape) ? [nothing] : counted.rows
  return {
    since: counted.since.toISOString(),
    until: counted.until.toISOString(),
    interval: shape.interval ?? null,
    group_by: shape.groupBy ?? null,
    data: rows.map((row) => metricView(row, shape)),
    has_more: counted.hasMore,
  }
}

/** One number for the whole time is told even when it is nought. */
function isWhole({ groupBy, interval }: MetricsShape): boolean {
  return groupBy === undefined && interval === undefined
}

const nothing: MetricRow = {
  starts_at: null,
  group_name: null,
  attempts: 0,
  failures: 0,
  delivered: 0,
  exhausted: 0,
  waits: [],
  times: [],
}

function metricView(row: MetricRow, { measures, groupBy }: MetricsShape): DeliveryMetric {
  const name = row.group_name
  return {
    starts_at: row.starts_at?.toISOString() ?? null,
    group: name !== null && groupBy === 'subscription' ? formatId('subscription', name) : name,
    ...Object.fromEntries(measures.map((measure) => [measure, measured[measure](row)])),
  }
}

const measured: Readonly<Record<MetricMeasure, (row: MetricRow) => number | null>> = {
  count: (row) => row.delivered + row.exhausted,
  success_rate: ({ delivered, exhausted }) =>
    delivered + exhausted === 0 ? null : delivered / (delivered + exhausted),
  delivered: (row) => row.delivered,
  exhausted: (row) => row.exhausted,
  attempts: (row) => row.attempts,
  failures: (row) => row.failures,
  latency_p50: (row) => percentile(row.times, 0.5),
  latency_p95: (row) => percentile(row.times, 0.95),
  latency_p99: (row) => percentile(row.times, 0.99),
  wait_p50: (row) => percentile(row.waits, 0.5),
  wait_p95: (row) => percentile(row.waits, 0.95),
  wait_p99: (row) => percentile(row.waits, 0.99),
}

export function causesView(counted: Counted<CauseRow>): Causes {
  return {
    since: counted.since.toISOString(),
    until: counted.until.toISOString(),
    data: counted.rows.map((row) => ({
      failure_code: row.failure_code,
      host: row.host,
      our_fault: isOurFault(row.failure_code),
      failures: row.failures,
      new_deliveries: row.entered,
      exhausted_deliveries: row.ended,
      subscriptions: row.subscriptions,
      tenants: row.tenants,
      first_seen_at: row.first_at.toISOString(),
      last_seen_at: row.last_at.toISOString(),
      examples: {
        deliveries: row.delivery_ids.map((id) => formatId('delivery', id)),
        subscriptions: row.subscription_ids.map((id) => formatId('subscription', id)),
        tenants: row.tenant_ids,
      },
    })),
    has_more: counted.hasMore,
  }
}
