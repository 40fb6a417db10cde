import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import {
  CreateEventTypeVersion,
  EventType,
  EventTypePage,
  EventTypeVersion,
  EventTypeVersionPage,
  PageQuery,
  PutEventType,
  reference,
} from '@posthorn/contract'
import {
  archiveEventType,
  createEventTypeVersion,
  getEventType,
  listEventTypes,
  listEventTypeVersions,
  putEventType,
} from '@posthorn/engine'
import { Type } from 'typebox'
import { wirePage } from '../pages.ts'
import type { RouteParts } from '../parts.ts'
import { audited } from '../plugins/audit.ts'
import { precondition, tagged } from '../plugins/etags.ts'
import { refusals } from '../refusals.ts'
import { eventTypeVersionView, eventTypeView } from '../views/event-type.ts'

const tags = ['Event types']
const params = Type.Object({ name: Type.String({ examples: ['invoice.paid'] }) })

export const eventTypeRoutes: FastifyPluginAsyncTypebox<RouteParts> = async (app, { db, schemas, links }) => {
  app.put(
    '/event-types/:name',
    {
      config: { permission: 'event-types:write', audit: 'event_type_put' },
      schema: {
        operationId: 'putEventType',
        summary: 'Make an event type known, or replace what is known of it',
        description: 'Its schemas are versions of their own and stay.',
        tags,
        params,
        body: PutEventType,
        response: {
          200: reference(EventType),
          201: reference(EventType),
          ...refusals({ body: true }, 'event_type_reserved', 'precondition_failed'),
        },
      },
    },
    async (request, reply) => {
      const { params, body } = request
      const { description = null, group = null, status: state = 'active', validation = 'off' } = body
      const input = { description, group, state, validation }
      const expected = precondition(request, eventTypeView)
      const { eventType, created } = await putEventType(audited({ db }, request.audit).db, params.name, input, expected)
      return reply.code(created ? 201 : 200).send(tagged(reply, eventTypeView(eventType)))
    },
  )

  app.get(
    '/event-types/:name',
    {
      config: { permission: 'event-types:read' },
      schema: {
        operationId: 'getEventType',
        summary: 'Read an event type',
        tags,
        params,
        response: { 200: reference(EventType), ...refusals({ body: false }, 'event_type_not_found') },
      },
    },
    async ({ params }, reply) => tagged(reply, eventTypeView(await getEventType(db, params.name))),
  )

  app.delete(
    '/event-types/:name',
    {
      config: { permission: 'event-types:write', audit: 'event_type_archived' },
      schema: {
        operationId: 'archiveEventType',
        summary: 'Archive an event type',
        description: 'It can no longer be published. Put it again to make it active.',
        tags,
        params,
        response: {
          204: Type.Null(),
          ...refusals({ body: false }, 'event_type_not_found', 'event_type_reserved'),
        },
      },
    },
    async ({ params, audit }, reply) => {
      await archiveEventType(audited({ db }, audit).db, params.name)
      return reply.code(204).send(null)
    },
  )

  app.get(
    '/event-types',
    {
      config: { permission: 'event-types:read' },
      schema: {
        operationId: 'listEventTypes',
        summary: 'List event types, archived ones included',
        tags,
        querystring: PageQuery,
        response: { 200: reference(EventTypePage), ...refusals({ body: false }) },
      },
    },
    async (request, reply) => {
      const page = await listEventTypes(db, request.query)
      return wirePage({ request, reply, links }, page, eventTypeView)
    },
  )

  app.post(
    '/event-types/:name/versions',
    {
      config: { permission: 'event-types:write', audit: 'event_type_version_created' },
      schema: {
        operationId: 'createEventTypeVersion',
        summary: "Add a version to an event type's schema",
        description: 'From now on published data is held to it, as far as the event type validates at all.',
        tags,
        params,
        body: CreateEventTypeVersion,
        response: {
          201: reference(EventTypeVersion),
          ...refusals({ body: true }, 'event_type_not_found', 'event_type_reserved', 'invalid_schema'),
        },
      },
    },
    async ({ params, body, audit }, reply) => {
      const { schema, examples = [] } = body
      const version = await createEventTypeVersion(audited({ db, schemas }, audit), params.name, { schema, examples })
      return reply.code(201).send(eventTypeVersionView(version))
    },
  )

  app.get(
    '/event-types/:name/versions',
    {
      config: { permission: 'event-types:read' },
      schema: {
        operationId: 'listEventTypeVersions',
        summary: "List the versions of an event type's schema",
        tags,
        params,
        querystring: PageQuery,
        response: { 200: reference(EventTypeVersionPage), ...refusals({ body: false }, 'event_type_not_found') },
      },
    },
    async (request, reply) => {
      const page = await listEventTypeVersions(db, request.params.name, request.query)
      return wirePage({ request, reply, links }, page, eventTypeVersionView)
    },
  )
}
