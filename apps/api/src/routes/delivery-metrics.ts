import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Causes, CausesQuery, DeliveryMetrics, DeliveryMetricsQuery, Problem, reference } from '@posthorn/contract'
import { getCauses, getDeliveryMetrics, inQuery, type MetricsFilter, parseListFilter, timesOf } from '@posthorn/engine'
import type { FastifyRequest } from 'fastify'
import type { RouteParts } from '../parts.ts'
import { refusals } from '../refusals.ts'
import { causesView, deliveryMetricsView, measuresOf, questionOf } from '../views/delivery-metrics.ts'

const tags = ['Metrics']

export const deliveryMetricRoutes: FastifyPluginAsyncTypebox<RouteParts> = async (app, { db, world }) => {
  app.get(
    '/metrics/deliveries',
    {
      config: { permission: 'metrics:read' },
      preValidation: async (request) => refuseUnkept(request),
      schema: {
        operationId: 'getDeliveryMetrics',
        summary: 'Count deliveries and attempts over time, and how long they took',
        description:
          'Counted when attempts are recorded and so as fast for months as for minutes. `latency_…` is the time of the receiver, `wait_…` ours.',
        tags,
        querystring: DeliveryMetricsQuery,
        response: { 200: reference(DeliveryMetrics), ...refusals({ body: false }) },
      },
    },
    async ({ query, credential }) => {
      const { measures, group_by: groupBy, interval } = query
      const filter = filterOf(query, credential.tenantId, world.now())
      const shape = { measures: measuresOf(measures), groupBy, interval }
      const counted = await getDeliveryMetrics({ db, world }, filter, questionOf(shape))
      return deliveryMetricsView(counted, shape)
    },
  )

  app.get(
    '/metrics/causes',
    {
      config: { permission: 'metrics:read' },
      preValidation: async (request) => refuseUnkept(request),
      schema: {
        operationId: 'getCauses',
        summary: 'Group failures by failure code and receiver, across tenants',
        description: "A tenant's key sees its own tenant's alone.",
        tags,
        querystring: CausesQuery,
        response: { 200: reference(Causes), ...refusals({ body: false }) },
      },
    },
    async ({ query, credential }) =>
      causesView(await getCauses({ db, world }, filterOf(query, credential.tenantId, world.now()))),
  )
}

function filterOf(query: CausesQuery, within: string | undefined, nowMs: number): MetricsFilter {
  const reading = { within, nowMs, pointer: inQuery }
  return {
    ...parseListFilter(query, reading),
    ...timesOf(query, reading),
  }
}

/** Filters of the grammar that rollups do not keep, and what to ask in their place. */
const unkept: Readonly<Record<string, string>> = {
  state: 'measure `delivered` and `exhausted`, or list them with GET /v1/deliveries?state=…',
  http_status: 'take `failure_code` (http_5xx), or list them with GET /v1/deliveries?http_status=…',
  event: 'list them with GET /v1/deliveries?event=…',
  replay: 'take `trigger=replay` for all replays, or GET /v1/replays/{id} for one',
}

/** @throws Problem `invalid_request` that says what to ask instead */
function refuseUnkept({ query }: FastifyRequest): void {
  const errors = Object.keys(Object(query)).flatMap((name) => {
    const instead = name.startsWith('key.') ? 'list them with GET /v1/deliveries?key.…=…' : unkept[name]
    return instead === undefined ? [] : { pointer: `?${name}`, detail: `is not kept in metrics: ${instead}` }
  })
  const [first] = errors
  if (first === undefined) return
  throw new Problem('invalid_request', `${first.pointer.slice(1)} ${first.detail}.`, { errors })
}
