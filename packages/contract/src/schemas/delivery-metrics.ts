/**
 * Metrics for people: attempts and deliveries counted over time, and failures grouped by their cause. They are answered
 * from rollups and never from the attempts themselves, so they can be filtered by what the rollups keep, and by nothing else.
 */
import { type Static, Type } from 'typebox'
import { form } from '../forms.ts'
import { limits } from '../limits.ts'
import { failureCodes } from '../states.ts'
import { Id } from './id-text.ts'
import { deliveryFilterParameters } from './list-filter.ts'
import { Nullable } from './nullable.ts'
import { named, reference } from './reference.ts'
import { TenantId } from './tenant.ts'
import { Time } from './text.ts'

const examplesMax = 5

/** What can be measured, and what each means. */
export const metricMeasures = {
  count: 'Deliveries that ended: delivered, or failed for good',
  success_rate: 'Delivered of those that ended, from 0 to 1; null when none did',
  delivered: 'Deliveries that were delivered',
  exhausted: 'Deliveries that failed for good',
  attempts: 'Requests that were made',
  failures: 'Attempts that failed',
  latency_p50: "Half of the attempts took the receiver no longer, in milliseconds: DNS to the answer's end",
  latency_p95: 'The same for 95 of 100',
  latency_p99: 'The same for 99 of 100',
  wait_p50: 'Half of the attempts waited for us no longer, in milliseconds: from due to sent',
  wait_p95: 'The same for 95 of 100',
  wait_p99: 'The same for 99 of 100',
} as const
export type MetricMeasure = keyof typeof metricMeasures
export const metricMeasureNames = Object.keys(metricMeasures) as [MetricMeasure, ...MetricMeasure[]]

export const metricGroupings = ['event_type', 'subscription', 'tenant', 'failure_code', 'trigger'] as const
export type MetricGrouping = (typeof metricGroupings)[number]

/** How long each interval is, in milliseconds. */
export const metricIntervals = { '1m': 60_000, '5m': 300_000, '1h': 3_600_000, '1d': 86_400_000 } as const
export type MetricInterval = keyof typeof metricIntervals
const intervalNames = Object.keys(metricIntervals) as [MetricInterval, ...MetricInterval[]]

const measureWord = `(${metricMeasureNames.join('|')})`
export const metricMeasuresDefault = ['count', 'success_rate', 'latency_p50', 'latency_p95'] as const

/** The words of the filter grammar that rollups keep. */
const rollupFilters = Type.Pick(Type.Object(deliveryFilterParameters), [
  'tenant',
  'event_type',
  'subscription',
  'failure_code',
  'trigger',
  'since',
  'until',
]).properties

export const DeliveryMetricsQuery = Type.Object(
  {
    measures: Type.Optional(
      Type.String({
        pattern: form(
          `^${measureWord}(,${measureWord}){0,${metricMeasureNames.length - 1}}$`,
          `must be one or more of these, with commas between: ${metricMeasureNames.join(', ')}`,
        ),
        default: metricMeasuresDefault.join(','),
        description: `What to tell, separated by commas: ${metricMeasureNames.join(', ')}`,
        examples: ['count,success_rate,latency_p95,wait_p95'],
      }),
    ),
    group_by: Type.Optional(Type.Enum([...metricGroupings], { type: 'string', description: 'One row for each' })),
    interval: Type.Optional(
      Type.Enum([...intervalNames], {
        type: 'string',
        description: `One row for each such time, in UTC; one for the whole time when left out. \`1m\` and \`5m\` reach back ${limits.metricsMinuteHours} hours`,
      }),
    ),
    ...rollupFilters,
  },
  { additionalProperties: false },
)
export type DeliveryMetricsQuery = Static<typeof DeliveryMetricsQuery>

const measureSchemas = Object.fromEntries(
  Object.entries(metricMeasures).map(([name, description]) => [
    name,
    Type.Optional(/_(rate|p\d+)$/.test(name) ? Nullable(Type.Number({ description })) : Type.Integer({ description })),
  ]),
)

const DeliveryMetric = named(
  'DeliveryMetric',
  Type.Unsafe<{ starts_at: string | null; group: string | null } & Partial<Record<MetricMeasure, number | null>>>(
    Type.Object(
      {
        starts_at: Nullable(Time('The beginning of the interval; null without one')),
        group: Nullable(
          Type.String({
            description:
              'Which one, of what was grouped by; null without that, and for attempts without a failure code',
          }),
        ),
        ...measureSchemas,
      },
      { description: 'What was measured in one interval, of one group. An interval in which nothing was is left out.' },
    ),
  ),
)
export type DeliveryMetric = Static<typeof DeliveryMetric>
export { DeliveryMetric as DeliveryMetricSchema }

export const DeliveryMetrics = named(
  'DeliveryMetrics',
  Type.Object(
    {
      since: Time('The time that was counted begins here: with a whole minute, or a whole hour where it is older'),
      until: Time('and ends here'),
      interval: Nullable(Type.Enum([...intervalNames], { type: 'string' })),
      group_by: Nullable(Type.Enum([...metricGroupings], { type: 'string' })),
      data: Type.Array(reference(DeliveryMetric), {
        description: 'By time, then by attempts, most first',
      }),
      has_more: Type.Boolean({
        description: `There are more groups than the ${limits.metricsGroupsMax} with the most attempts`,
      }),
    },
    { description: 'Attempts belong to the minute in which they began' },
  ),
)
export type DeliveryMetrics = Static<typeof DeliveryMetrics>

export const CausesQuery = Type.Object(rollupFilters, { additionalProperties: false })
export type CausesQuery = Static<typeof CausesQuery>

export const Cause = named(
  'Cause',
  Type.Object(
    {
      failure_code: Type.Enum([...failureCodes], { type: 'string' }),
      host: Type.String({
        description: 'Host, and port if the URL has one, of the receiver',
        examples: ['hooks.acme.example'],
      }),
      our_fault: Type.Boolean({
        description: 'It failed because of Posthorn or its proxy, not because of the receiver',
      }),
      failures: Type.Integer({ description: 'Attempts that failed so' }),
      new_deliveries: Type.Integer({
        description:
          'Deliveries that came to fail so in this time: whose attempt before, if there was one, had not failed so',
      }),
      exhausted_deliveries: Type.Integer({ description: 'Deliveries that failed for good so' }),
      subscriptions: Type.Integer({ description: 'How many subscriptions are concerned' }),
      tenants: Type.Integer({ description: 'How many tenants are' }),
      first_seen_at: Time('The end of the first attempt in this time that failed so'),
      last_seen_at: Time('The same of the last'),
      examples: Type.Object(
        {
          deliveries: Type.Array(Id('delivery')),
          subscriptions: Type.Array(Id('subscription')),
          tenants: Type.Array(TenantId()),
        },
        { description: `At most ${examplesMax} of each` },
      ),
    },
    { description: 'Attempts that failed by one failure code at one receiver' },
  ),
)
export type Cause = Static<typeof Cause>

export const Causes = named(
  'Causes',
  Type.Object({
    since: Time(),
    until: Time(),
    data: Type.Array(reference(Cause), { description: 'Most failures first' }),
    has_more: Type.Boolean({ description: `There are more causes than the first ${limits.metricsGroupsMax}` }),
  }),
)
export type Causes = Static<typeof Causes>
