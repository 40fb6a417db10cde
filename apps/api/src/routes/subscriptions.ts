import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import {
  ChangedSubscription,
  CreatedSubscription,
  CreateSubscription,
  PatchSubscription,
  PathId,
  ResumeSubscription,
  reference,
  Subscription,
  SubscriptionHealth,
  SubscriptionPage,
  SubscriptionQuery,
} from '@posthorn/contract'
import {
  type Credential,
  countWaiting,
  createSubscription,
  deleteSubscription,
  getSubscription,
  getSubscriptionHealth,
  listSubscriptions,
  patchSubscription,
  pauseSubscription,
  resumeSubscription,
  tenantNotFound,
} from '@posthorn/engine'
import { Type } from 'typebox'
import { wirePage } from '../pages.ts'
import type { RouteParts } from '../parts.ts'
import { pathId } from '../path-id.ts'
import { audited } from '../plugins/audit.ts'
import { precondition, tagged } from '../plugins/etags.ts'
import { readerOf } from '../reader.ts'
import { refusals } from '../refusals.ts'
import { subscriptionDraft, subscriptionPatch } from '../subscription-body.ts'
import { subscriptionView } from '../views/subscription.ts'
import { subscriptionHealthView } from '../views/subscription-health.ts'

const tags = ['Subscriptions']
const params = Type.Object({ id: PathId('subscription') })
const noBody = Type.Object({}, { additionalProperties: false })

export const subscriptionRoutes: FastifyPluginAsyncTypebox<RouteParts> = async (app, parts) => {
  const { db, links } = parts

  app.post(
    '/tenants/:id/subscriptions',
    {
      config: { permission: 'subscriptions:write', audit: 'subscription_created' },
      schema: {
        operationId: 'createSubscription',
        summary: 'Subscribe a callback URL of a tenant',
        description: 'The answer holds the signing secret, this once.',
        tags,
        params: Type.Object({ id: Type.String({ description: "The tenant's id", examples: ['acme'] }) }),
        body: CreateSubscription,
        response: {
          201: reference(CreatedSubscription),
          ...refusals(
            { body: true },
            'tenant_not_found',
            'invalid_url',
            'invalid_header',
            'invalid_filter',
            'invalid_transform',
            'invalid_secret',
            'limit_reached',
          ),
        },
      },
    },
    async ({ params, body, bodyText, credential, audit }, reply) => {
      if (credential.tenantId !== undefined && credential.tenantId !== params.id) throw tenantNotFound(params.id)
      const { subscription, secret } = await createSubscription(
        audited(parts, audit),
        params.id,
        subscriptionDraft(body, bodyText),
      )
      return reply.code(201).send({ ...tagged(reply, subscriptionView(subscription, readerOf(credential))), secret })
    },
  )

  app.get(
    '/subscriptions',
    {
      config: { permission: 'subscriptions:read' },
      schema: {
        operationId: 'listSubscriptions',
        summary: 'List subscriptions',
        tags,
        querystring: SubscriptionQuery,
        response: { 200: reference(SubscriptionPage), ...refusals({ body: false }) },
      },
    },
    async (request, reply) => {
      const { tenant: tenants, state: states, event_type: eventTypes, ...page } = request.query
      const within = request.credential.tenantId
      const found = await listSubscriptions(db, { within, tenants, states, eventTypes }, page)
      const reader = readerOf(request.credential)
      return wirePage({ request, reply, links }, found, (one) => subscriptionView(one, reader))
    },
  )

  app.get(
    '/subscriptions/:id',
    {
      config: { permission: 'subscriptions:read' },
      schema: {
        operationId: 'getSubscription',
        summary: 'Read a subscription',
        tags,
        params,
        response: { 200: reference(Subscription), ...refusals({ body: false }, 'subscription_not_found') },
      },
    },
    async ({ params, credential }, reply) => {
      const id = pathId('subscription', params.id)
      const subscription = await getSubscription(db, id, credential.tenantId)
      return tagged(reply, subscriptionView(subscription, readerOf(credential)))
    },
  )

  app.get(
    '/subscriptions/:id/health',
    {
      config: { permission: 'subscriptions:read' },
      schema: {
        operationId: 'getSubscriptionHealth',
        summary: 'See how a subscription does, and how far it is with its work',
        description:
          'How many of its attempts are accepted, whether its circuit breaker holds its work back, how far it is from being disabled, what waits and since when, and which delivery an ordered subscription waits for.',
        tags,
        params,
        response: { 200: reference(SubscriptionHealth), ...refusals({ body: false }, 'subscription_not_found') },
      },
    },
    async ({ params, credential }) => {
      const id = pathId('subscription', params.id)
      return subscriptionHealthView(id, await getSubscriptionHealth(db, id, credential.tenantId), parts.disableAfterMs)
    },
  )

  app.patch(
    '/subscriptions/:id',
    {
      config: { permission: 'subscriptions:write', audit: 'subscription_changed' },
      schema: {
        operationId: 'patchSubscription',
        summary: 'Change a subscription',
        description:
          'JSON Merge Patch (RFC 7396): what is left out stays, `null` clears, objects are merged; `auth`, `tls` and `filter` are replaced as a whole. A change, of the URL too, applies to deliveries that wait already, at their next attempt, and `waiting` says how many those are; one in flight ends as it began. A new URL also begins the health anew: the circuit breaker closes, and what failed before does not count. When the URL moves to another host, credentials must be given again or be null.',
        tags,
        params,
        body: PatchSubscription,
        response: {
          200: reference(ChangedSubscription),
          ...refusals(
            { body: true },
            'subscription_not_found',
            'invalid_url',
            'invalid_header',
            'invalid_filter',
            'invalid_transform',
            'precondition_failed',
          ),
        },
      },
    },
    async (request, reply) => {
      const { params, body, bodyText, credential } = request
      const id = pathId('subscription', params.id)
      const patch = subscriptionPatch(body, bodyText)
      const view = viewFor(credential)
      const expected = precondition(request, view)
      const subscription = await patchSubscription(
        audited(parts, request.audit),
        id,
        credential.tenantId,
        patch,
        expected,
      )
      const { count, hasMore } = await countWaiting(db, id)
      return { ...tagged(reply, view(subscription)), waiting: { count, has_more: hasMore } }
    },
  )

  app.delete(
    '/subscriptions/:id',
    {
      config: { permission: 'subscriptions:write', audit: 'subscription_deleted' },
      schema: {
        operationId: 'deleteSubscription',
        summary: 'Delete a subscription',
        description: 'What was still to be sent is canceled. Its deliveries stay readable.',
        tags,
        params,
        response: {
          204: Type.Null(),
          ...refusals({ body: false }, 'subscription_not_found', 'precondition_failed'),
        },
      },
    },
    async (request, reply) => {
      const { params, credential } = request
      const view = viewFor(credential)
      const expected = precondition(request, view)
      await deleteSubscription(
        audited(parts, request.audit),
        pathId('subscription', params.id),
        credential.tenantId,
        expected,
      )
      return reply.code(204).send(null)
    },
  )

  app.post(
    '/subscriptions/:id/pause',
    {
      config: { permission: 'subscriptions:pause', bodyOptional: true, audit: 'subscription_paused' },
      schema: {
        operationId: 'pauseSubscription',
        summary: 'Stop sending to a subscription',
        description: 'Deliveries are held from now on, and none is dropped.',
        tags,
        params,
        body: noBody,
        response: {
          200: reference(Subscription),
          ...refusals({ body: true }, 'subscription_not_found', 'subscription_not_active'),
        },
      },
    },
    async ({ params, credential, audit }) => {
      const id = pathId('subscription', params.id)
      return subscriptionView(
        await pauseSubscription(audited(parts, audit), id, credential.tenantId),
        readerOf(credential),
      )
    },
  )

  app.post(
    '/subscriptions/:id/resume',
    {
      config: { permission: 'subscriptions:pause', bodyOptional: true, audit: 'subscription_resumed' },
      schema: {
        operationId: 'resumeSubscription',
        summary: 'Send to a paused or disabled subscription again',
        description:
          'What was held is due at once, whatever its schedule was, unless `backfill` says otherwise; a breaker that is open and a pause that the receiver has asked for end. Of an active subscription nothing changes.',
        tags,
        params,
        body: ResumeSubscription,
        response: { 200: reference(Subscription), ...refusals({ body: true }, 'subscription_not_found') },
      },
    },
    async ({ params, body, credential, audit }) => {
      const id = pathId('subscription', params.id)
      const resumed = await resumeSubscription(audited(parts, audit), id, credential.tenantId, body.backfill ?? 'held')
      return subscriptionView(resumed, readerOf(credential))
    },
  )
}

function viewFor(credential: Credential) {
  const reader = readerOf(credential)
  return (subscription: Parameters<typeof subscriptionView>[0]) => subscriptionView(subscription, reader)
}
