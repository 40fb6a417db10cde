import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import {
  type Attempt,
  AttemptPage,
  AttemptQuery,
  Delivery,
  DeliveryExpandQuery,
  DeliveryPage,
  DeliveryQuery,
  ExpandedDelivery,
  formatId,
  PathId,
  ResendDelivery,
  reference,
} from '@posthorn/contract'
import {
  cancelDelivery,
  getDelivery,
  getEvent,
  inQuery,
  listAttempts,
  listDeliveries,
  parseListFilter,
  payloadFormatOf,
  resendDelivery,
  sentBody,
} from '@posthorn/engine'
import { Type } from 'typebox'
import { sendExactJson } from '../exact-json.ts'
import { expandDelivery, expansionsOf } from '../expand-delivery.ts'
import { wirePage } from '../pages.ts'
import type { RouteParts } from '../parts.ts'
import { pathId } from '../path-id.ts'
import { may } from '../permissions.ts'
import { refusals } from '../refusals.ts'
import { attemptView } from '../views/attempt.ts'
import { deliveryView } from '../views/delivery.ts'

const tags = ['Deliveries']
const params = Type.Object({ id: PathId('delivery') })
const noBody = Type.Object({}, { additionalProperties: false })

export const deliveryRoutes: FastifyPluginAsyncTypebox<RouteParts> = async (app, parts) => {
  const { db, world, onWork, links } = parts
  app.get(
    '/deliveries',
    {
      config: { permission: 'deliveries:read' },
      schema: {
        operationId: 'listDeliveries',
        summary: 'List deliveries',
        tags,
        querystring: DeliveryQuery,
        response: { 200: reference(DeliveryPage), ...refusals({ body: false }) },
      },
    },
    async (request, reply) => {
      const reading = { within: request.credential.tenantId, nowMs: world.now(), pointer: inQuery }
      const found = await listDeliveries(db, parseListFilter(request.query, reading), request.query)
      return wirePage({ request, reply, links }, found, deliveryView)
    },
  )

  app.get(
    '/deliveries/:id',
    {
      config: { permission: 'deliveries:read' },
      schema: {
        operationId: 'getDelivery',
        summary: 'Read a delivery, and what belongs to it',
        tags,
        params,
        querystring: DeliveryExpandQuery,
        response: { 200: reference(ExpandedDelivery), ...refusals({ body: false }, 'delivery_not_found') },
      },
    },
    async ({ params, query, credential }, reply) => {
      const delivery = await getDelivery(db, pathId('delivery', params.id), credential.tenantId)
      const payloads = may(credential.role, 'payloads:read')
      return sendExactJson(reply, await expandDelivery(db, delivery, expansionsOf(query.expand), payloads))
    },
  )

  app.get(
    '/deliveries/:id/attempts',
    {
      config: { permission: 'deliveries:read' },
      schema: {
        operationId: 'listAttempts',
        summary: 'List the attempts of a delivery, as they were sent and answered',
        tags,
        params,
        querystring: AttemptQuery,
        response: { 200: reference(AttemptPage), ...refusals({ body: false }, 'delivery_not_found') },
      },
    },
    async (request, reply) => {
      const { params, query, credential } = request
      const delivery = await getDelivery(db, pathId('delivery', params.id), credential.tenantId)
      const owner = { id: delivery.id, tenantId: delivery.tenant_id }
      const page = wirePage({ request, reply, links }, await listAttempts(db, owner, query), attemptView)
      if (!may(credential.role, 'payloads:read')) return { ...page, request_body: null }
      const event = await getEvent(db, delivery.event_id, delivery.tenant_id)
      const body = await sentBody(parts, event, delivery.subscription_id, headersOf(page.data))
      return { ...page, request_body: body }
    },
  )

  app.post(
    '/deliveries/:id/resend',
    {
      config: { permission: 'deliveries:resend', bodyOptional: true },
      schema: {
        operationId: 'resendDelivery',
        summary: 'Make one more attempt, now',
        tags,
        params,
        body: ResendDelivery,
        response: {
          202: reference(Delivery),
          ...refusals({ body: true }, 'delivery_not_found', 'delivery_state_conflict', 'subscription_not_active'),
        },
      },
    },
    async ({ params, body, credential }, reply) => {
      const deliveryId = pathId('delivery', params.id)
      const { tenantId, keyId } = credential
      const actor = formatId('api_key', keyId)
      const shard = await resendDelivery(db, { deliveryId, tenantId, actor, reason: body.reason })
      onWork([shard])
      return reply.code(202).send(deliveryView(await getDelivery(db, deliveryId, tenantId)))
    },
  )

  app.post(
    '/deliveries/:id/cancel',
    {
      config: { permission: 'deliveries:cancel', bodyOptional: true },
      schema: {
        operationId: 'cancelDelivery',
        summary: 'Call a delivery off',
        tags,
        params,
        body: noBody,
        response: {
          200: reference(Delivery),
          ...refusals({ body: true }, 'delivery_not_found', 'delivery_state_conflict'),
        },
      },
    },
    async ({ params, credential }) => {
      const deliveryId = pathId('delivery', params.id)
      const { tenantId, keyId } = credential
      await cancelDelivery(db, { deliveryId, tenantId, actor: formatId('api_key', keyId) })
      return deliveryView(await getDelivery(db, deliveryId, tenantId))
    },
  )
}

/** The headers of the newest of these requests. One of which nobody saw whether it was sent has none. */
function headersOf(attempts: readonly Attempt[]): Attempt['request']['headers'] {
  const newestFirst = attempts.toSorted((a, b) => b.number - a.number)
  return newestFirst.find(({ request }) => payloadFormatOf(request.headers) !== undefined)?.request.headers ?? {}
}
