import type { AttemptTrigger, FailureCode, MetricGrouping, Uuid } from '@posthorn/contract'
import { bucketCount } from '../../histogram.ts'
import { ask } from '../unavailable.ts'
import { type Conditions, createConditions, likePattern } from './conditions.ts'
import type { Runner } from './statement.ts'

/** Which attempts. What is undefined does not filter; an empty list lets nothing pass. */
export type RollupFilter = {
  tenants?: readonly string[] | undefined
  subscriptions?: readonly Uuid[] | undefined
  /** Patterns. */
  eventTypes?: readonly string[] | undefined
  failureCodes?: readonly FailureCode[] | undefined
  triggers?: readonly AttemptTrigger[] | undefined
}

/**
 * Where rollups are read: each attempt is in one row of one of these, and an attempt of another time in none of them.
 * See `rollupsOf` in engine/src/delivery-metrics.ts.
 */
export type RollupSpan = {
  table: 'attempt_minute' | 'attempt_minute_kept' | 'attempt_hour'
  from: Date
  before: Date
}

export type MetricRow = {
  starts_at: Date | null
  group_name: string | null
  attempts: number
  failures: number
  delivered: number
  exhausted: number
  /** Empty when they were not asked for. */
  waits: number[]
  times: number[]
}

export type MetricsShape = {
  groupBy: MetricGrouping | undefined
  intervalMs: number | undefined
  /** Whether attempts are counted by how long they waited, and how long they took: half of the work. */
  waits: boolean
  times: boolean
  groupsMax: number
}

/** Groupings are of a closed list, so their columns are written out. */
const columns: Readonly<Record<MetricGrouping, string>> = {
  event_type: 'event_type',
  subscription: 'subscription_id::text',
  tenant: 'tenant_id',
  failure_code: `nullif(failure_code, '')`,
  trigger: 'trigger',
}

const buckets = Array.from({ length: bucketCount }, (_, index) => index + 1)

/**
 * Attempts added up by group and interval, as the rollups count them: of the groups with the most attempts, and of one
 * more than asked for, so that it can be told that there are more.
 *
 * Locks nothing and reads rollups only, all of them as of one moment, so that what is just moved from one table to another is
 * seen once. One tenant walks the indexes by `(tenant_id, starts_at)`, all tenants the primary keys; in both cases within the
 * time asked for.
 */
export async function selectDeliveryMetrics(
  runner: Runner,
  spans: readonly RollupSpan[],
  filter: RollupFilter,
  shape: MetricsShape,
): Promise<MetricRow[]> {
  const conditions = conditionsOf(filter)
  const group = shape.groupBy === undefined ? 'null::text' : columns[shape.groupBy]
  const interval =
    shape.intervalMs === undefined
      ? 'null::timestamptz'
      : `date_bin('${Math.trunc(shape.intervalMs / 1000)} seconds', starts_at, 'epoch')`
  const sums = (name: 'waits' | 'times') =>
    `array[${shape[name] ? buckets.map((bucket) => `sum(${name}[${bucket}])`).join(', ') : ''}]::float8[]`
  const text = `
with counted as (
  ${rowsOf(`${interval} as starts_at, ${group} as group_name, failure_code, attempts, ended, waits, times`, spans, conditions)}
), grouped as (
  select starts_at, group_name, sum(attempts)::float8 as attempts,
         coalesce(sum(attempts) filter (where failure_code <> ''), 0)::float8 as failures,
         coalesce(sum(ended) filter (where failure_code = ''), 0)::float8 as delivered,
         coalesce(sum(ended) filter (where failure_code <> ''), 0)::float8 as exhausted,
         ${sums('waits')} as waits, ${sums('times')} as times
  from counted
  group by starts_at, group_name
), chosen as (
  select group_name, sum(attempts) as attempts from grouped group by group_name order by 2 desc, 1 limit ${Math.trunc(shape.groupsMax)} + 1
)
select g.*
from grouped g
join chosen c on c.group_name is not distinct from g.group_name
where g.attempts > 0
order by g.starts_at, c.attempts desc, g.group_name`
  const result = await ask(() => runner.query<MetricRow>(text, [...conditions.values]))
  return result.rows
}

export type CauseRow = {
  failure_code: FailureCode
  host: string
  failures: number
  entered: number
  ended: number
  subscriptions: number
  tenants: number
  first_at: Date
  last_at: Date
  delivery_ids: Uuid[]
  subscription_ids: Uuid[]
  tenant_ids: string[]
}

/**
 * Failures added up by failure code and receiver, the most frequent first, with a few of each of those concerned. Locks and
 * reads as `selectDeliveryMetrics` does.
 */
export async function selectCauses(
  runner: Runner,
  spans: readonly RollupSpan[],
  filter: RollupFilter,
  { rowsMax, examplesMax }: { rowsMax: number; examplesMax: number },
): Promise<CauseRow[]> {
  const conditions = conditionsOf(filter)
  conditions.addText(`failure_code <> ''`)
  const some = `[1:${Math.trunc(examplesMax)}]`
  const text = `
with counted as (
  ${rowsOf('*', spans, conditions)}
), each as (
  -- A subscription at a time, so that examples are of several.
  select failure_code, host, tenant_id, subscription_id, sum(attempts) as failures, sum(entered) as entered, sum(ended) as ended,
         min(first_at) as first_at, max(last_at) as last_at,
         (array_agg(delivery_id order by last_at desc) filter (where delivery_id is not null))[1] as delivery_id
  from counted
  group by failure_code, host, tenant_id, subscription_id
  having sum(attempts) > 0
)
select failure_code, host, sum(failures)::float8 as failures, sum(entered)::float8 as entered, sum(ended)::float8 as ended,
       count(*)::int as subscriptions, count(distinct tenant_id)::int as tenants,
       min(first_at) as first_at, max(last_at) as last_at,
       (array_agg(delivery_id order by last_at desc))${some} as delivery_ids,
       (array_agg(subscription_id order by failures desc, subscription_id))${some} as subscription_ids,
       (array_agg(distinct tenant_id))${some} as tenant_ids
from each
group by failure_code, host
order by 3 desc, 1, 2
limit ${Math.trunc(rowsMax)} + 1`
  const result = await ask(() => runner.query<CauseRow>(text, [...conditions.values]))
  return result.rows
}

function rowsOf(selected: string, spans: readonly RollupSpan[], conditions: Conditions): string {
  const { text: where } = conditions
  const parts = spans.map(({ table, from, before }) => {
    const [since, until] = [from, before].map((time) => `${conditions.placeholder(time)}::timestamptz`)
    return `select ${selected} from ${table} ${where} and starts_at >= ${since} and starts_at < ${until}`
  })
  return parts.join(' union all ')
}

function conditionsOf(filter: RollupFilter): Conditions {
  const conditions = createConditions()
  conditions.addText('true')
  conditions.addOneOf('tenant_id', 'text', filter.tenants)
  conditions.addOneOf('subscription_id', 'uuid', filter.subscriptions)
  if (filter.eventTypes !== undefined) {
    conditions.add(filter.eventTypes.map(likePattern), (patterns) => `event_type like any(${patterns}::text[])`)
  }
  conditions.addOneOf('failure_code', 'text', filter.failureCodes)
  conditions.addOneOf('trigger', 'text', filter.triggers)
  return conditions
}
