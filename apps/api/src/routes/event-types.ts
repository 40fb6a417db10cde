import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import {
  CreateEventTypeVersion,
  DryRunQuery,
  EventType,
  EventTypeImport,
  EventTypePage,
  EventTypeVersion,
  EventTypeVersionDryRun,
  EventTypeVersionPage,
  ImportEventTypes,
  limits,
  PageQuery,
  Problem,
  PutEventType,
  reference,
} from '@posthorn/contract'
import {
  archiveEventType,
  compareEventTypeVersion,
  createEventTypeVersion,
  getEventType,
  getEventTypeVersion,
  importEventTypes,
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
import { comparisonView, eventTypeVersionView, eventTypeView, importView } from '../views/event-type.ts'

const tags = ['Event types']
const params = Type.Object({ name: Type.String({ examples: ['invoice.paid'] }) })
const versionParams = Type.Object({
  name: Type.String({ examples: ['invoice.paid'] }),
  version: Type.String({ examples: ['2'], description: 'The number of the version, from 1' }),
})

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
          ...refusals({ body: true }, 'event_type_reserved', 'event_type_name_taken', 'precondition_failed'),
        },
      },
    },
    async (request, reply) => {
      const { params, body } = request
      const {
        description = null,
        group = null,
        status: state = 'active',
        validation = 'off',
        key_pointers: keyPointers = {},
      } = body
      const input = { description, group, state, validation, keyPointers }
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
        description:
          'From now on published data is held to it, as far as the event type validates at all. The answer says what it changes for receivers, against the version before. With `dry_run=1` it only says so, and nothing is stored.',
        tags,
        params,
        querystring: DryRunQuery,
        body: CreateEventTypeVersion,
        response: {
          200: reference(EventTypeVersionDryRun),
          201: reference(EventTypeVersion),
          ...refusals({ body: true }, 'event_type_not_found', 'event_type_reserved', 'invalid_schema'),
        },
      },
    },
    async ({ params, query, body, audit }, reply) => {
      const { schema, examples = [] } = body
      if (query.dry_run === '1') {
        const told = await compareEventTypeVersion({ db, schemas }, params.name, { schema, examples })
        const { version, comparison } = told
        return reply.send({ event_type: params.name, version, comparison: comparisonView(comparison) })
      }
      const version = await createEventTypeVersion(audited({ db, schemas }, audit), params.name, { schema, examples })
      return reply.code(201).send(eventTypeVersionView(version))
    },
  )

  app.get(
    '/event-types/:name/versions/:version',
    {
      config: { permission: 'event-types:read' },
      schema: {
        operationId: 'getEventTypeVersion',
        summary: "Read a version of an event type's schema, with what it changed",
        tags,
        params: versionParams,
        response: {
          200: reference(EventTypeVersion),
          ...refusals({ body: false }, 'event_type_not_found', 'event_type_version_not_found'),
        },
      },
    },
    async ({ params }) => eventTypeVersionView(await getEventTypeVersion(db, params.name, versionNumber(params))),
  )

  app.post(
    '/event-types/import',
    {
      config: { permission: 'event-types:write', audit: 'event_types_imported' },
      bodyLimit: limits.importBodyBytesMax,
      schema: {
        operationId: 'importEventTypes',
        summary: 'Import the webhooks of an OpenAPI 3.1 document as event types',
        description:
          'Each webhook becomes an event type of its name, with the schema of its JSON body, its examples, its description and its first tag as the group. Schemas among the components come along. Where the body is the envelope that Posthorn sends (`type`, `timestamp`, `data`), the schema is that of `data`. A schema that is unchanged gets no new version. All of it is imported, or nothing is. With `dry_run=1` it only tells what would come of it.',
        tags,
        querystring: DryRunQuery,
        body: ImportEventTypes,
        response: {
          200: reference(EventTypeImport),
          ...refusals({ body: true }, 'invalid_schema', 'event_type_name_taken'),
        },
      },
    },
    async ({ query, body, audit }) => {
      const dryRun = query.dry_run === '1'
      return importView(await importEventTypes(audited({ db, schemas }, audit), body, { dryRun }), dryRun)
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

/** What is no number of a version is none that there is. */
function versionNumber({ name, version }: { name: string; version: string }): number {
  if (/^[1-9]\d{0,9}$/.test(version)) return Number(version)
  throw new Problem(
    'event_type_version_not_found',
    `The event type ${JSON.stringify(name)} has no version ${JSON.stringify(version)}.`,
  )
}
