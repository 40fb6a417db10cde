import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import {
  OutboxEvent,
  OutboxEventContent,
  OutboxEventPage,
  OutboxEventQuery,
  PathId,
  reference,
} from '@posthorn/contract'
import { deleteOutboxEvent, getOutboxEvent, listOutboxEvents, retryOutboxEvent } from '@posthorn/engine'
import { Type } from 'typebox'
import { sendExactJson } from '../exact-json.ts'
import { wirePage } from '../pages.ts'
import type { RouteParts } from '../parts.ts'
import { pathId } from '../path-id.ts'
import { audited } from '../plugins/audit.ts'
import { readerOf } from '../reader.ts'
import { refusals } from '../refusals.ts'
import { outboxEventContentView, outboxEventView } from '../views/outbox-event.ts'

const tags = ['Outbox']

export const outboxEventRoutes: FastifyPluginAsyncTypebox<RouteParts> = async (app, { db, links }) => {
  app.get(
    '/outbox-events',
    {
      config: { permission: 'outbox:read' },
      schema: {
        operationId: 'listOutboxEvents',
        summary: 'List events in the outbox: those that were refused, or those that wait',
        description:
          'What a backend that shares the database wrote in a transaction of its own, and what is not published yet. What is published is an event like all others.',
        tags,
        querystring: OutboxEventQuery,
        response: { 200: reference(OutboxEventPage), ...refusals({ body: false }) },
      },
    },
    async (request, reply) => {
      const { tenant: tenants, state = 'refused', ...page } = request.query
      return wirePage({ request, reply, links }, await listOutboxEvents(db, { state, tenants }, page), outboxEventView)
    },
  )

  app.get(
    '/outbox-events/:id',
    {
      config: { permission: 'outbox:read' },
      schema: {
        operationId: 'getOutboxEvent',
        summary: 'Read an event in the outbox, with the bytes of its data',
        tags,
        params: Type.Object({ id: PathId('outbox_event') }),
        response: { 200: reference(OutboxEventContent), ...refusals({ body: false }, 'outbox_event_not_found') },
      },
    },
    async ({ params, credential }, reply) => {
      const event = await getOutboxEvent(db, pathId('outbox_event', params.id))
      return sendExactJson(reply, outboxEventContentView(event, readerOf(credential)))
    },
  )

  app.post(
    '/outbox-events/:id/retry',
    {
      config: { permission: 'outbox:write', audit: 'outbox_event_retried', bodyOptional: true },
      schema: {
        operationId: 'retryOutboxEvent',
        summary: 'Try to publish an event in the outbox again',
        description: 'Once what it was refused for is mended: the tenant or the event type is known now, for instance.',
        tags,
        params: Type.Object({ id: PathId('outbox_event') }),
        body: Type.Object({}, { additionalProperties: false }),
        response: { 202: reference(OutboxEvent), ...refusals({ body: true }, 'outbox_event_not_found') },
      },
    },
    async ({ params, audit }, reply) => {
      const retried = await retryOutboxEvent(audited({ db }, audit).db, pathId('outbox_event', params.id))
      return reply.code(202).send(outboxEventView(retried))
    },
  )

  app.delete(
    '/outbox-events/:id',
    {
      config: { permission: 'outbox:write', audit: 'outbox_event_given_up' },
      schema: {
        operationId: 'deleteOutboxEvent',
        summary: 'Give up an event in the outbox that was refused',
        tags,
        params: Type.Object({ id: PathId('outbox_event') }),
        response: { 204: Type.Null(), ...refusals({ body: false }, 'outbox_event_not_found', 'outbox_event_waiting') },
      },
    },
    async ({ params, audit }, reply) => {
      await deleteOutboxEvent(audited({ db }, audit).db, pathId('outbox_event', params.id))
      return reply.code(204).send(null)
    },
  )
}
