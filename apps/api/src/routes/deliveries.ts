import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import {
  AttemptPage,
  AttemptQuery,
  Delivery,
  DeliveryExpandQuery,
  type DeliveryExpansion,
  DeliveryPage,
  DeliveryQuery,
  ExpandedDelivery,
  PathId,
  Problem,
  ResendDelivery,
  reference,
} from '@posthorn/contract'
import {
  type Attempt,
  type Credential,
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
import { besideAttempts, expandDelivery, expansionsOf } from '../expand-delivery.ts'
import { wirePage } from '../pages.ts'
import type { RouteParts } from '../parts.ts'
import { pathId } from '../path-id.ts'
import { may, nameOf, type Permission } from '../permissions.ts'
import { audited } from '../plugins/audit.ts'
import { readerOf } from '../reader.ts'
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
      const expansions = expansionsOf(query.expand)
      mayExpand(credential, expansions)
      const delivery = await getDelivery(db, pathId('delivery', params.id), credential.tenantId)
      return sendExactJson(reply, await expandDelivery(db, delivery, expansions, readerOf(credential)))
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
      const reader = readerOf(credential)
      const found = await listAttempts(db, owner, query)
      const beside = await besideAttempts(db, delivery, found.rows, reader)
      const page = wirePage({ request, reply, links }, found, (attempt) => attemptView(attempt, reader, beside))
      if (!reader.payloads || delivery.erased_at !== null) return { ...page, request_body: null }
      const event = await getEvent(db, delivery.event_id, delivery.tenant_id)
      const body = await sentBody(parts, event, delivery.subscription_id, headersOf(found.rows))
      return { ...page, request_body: body }
    },
  )

  app.post(
    '/deliveries/:id/resend',
    {
      config: { permission: 'deliveries:resend', bodyOptional: true, audit: 'delivery_resent' },
      schema: {
        operationId: 'resendDelivery',
        summary: 'Make one more attempt, now',
        tags,
        params,
        body: ResendDelivery,
        response: {
          202: reference(Delivery),
          ...refusals(
            { body: true },
            'delivery_not_found',
            'delivery_state_conflict',
            'subscription_not_active',
            'content_erased',
          ),
        },
      },
    },
    async ({ params, body, credential, audit }, reply) => {
      const deliveryId = pathId('delivery', params.id)
      const { tenantId, actor } = credential
      const shard = await resendDelivery(audited({ db }, audit).db, {
        deliveryId,
        tenantId,
        actor,
        reason: body.reason,
      })
      onWork([shard])
      return reply.code(202).send(deliveryView(await getDelivery(db, deliveryId, tenantId)))
    },
  )

  app.post(
    '/deliveries/:id/cancel',
    {
      config: { permission: 'deliveries:cancel', bodyOptional: true, audit: 'delivery_canceled' },
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
    async ({ params, credential, audit }) => {
      const deliveryId = pathId('delivery', params.id)
      const { tenantId, actor } = credential
      await cancelDelivery(audited({ db }, audit).db, { deliveryId, tenantId, actor })
      return deliveryView(await getDelivery(db, deliveryId, tenantId))
    },
  )
}

/** What an expansion shows can be read by itself, too, and needs the same permission. */
const expansionPermissions: Readonly<Record<DeliveryExpansion, Permission>> = {
  event: 'events:read',
  subscription: 'subscriptions:read',
  attempts: 'deliveries:read',
}

/** @throws Problem `forbidden` */
function mayExpand(credential: Credential, expansions: ReadonlySet<DeliveryExpansion>): void {
  const needed = [...expansions].map((expansion) => expansionPermissions[expansion])
  const missing = needed.filter((permission) => !may(credential, permission))
  if (missing.length === 0) return
  throw new Problem('forbidden', `${nameOf(credential)} may not expand that (${missing.join(', ')}).`)
}

/** The headers of the newest of these requests. One of which nobody saw whether it was sent has none. */
function headersOf(attempts: readonly Attempt[]): Record<string, string> {
  const newestFirst = attempts.toSorted((a, b) => b.number - a.number)
  // Written from records of texts.
  const headers = newestFirst.map((attempt) => attempt.requestHeaders as Record<string, string>)
  return headers.find((one) => payloadFormatOf(one) !== undefined) ?? {}
}
