import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import {
  DryRun,
  Event,
  EventQuery,
  EventSummaryPage,
  limits,
  PathId,
  Problem,
  PublishEvent,
  PublishEvents,
  PublishedEvent,
  PublishQuery,
  type PublishResult,
  PublishResults,
  problemBody,
  reference,
} from '@posthorn/contract'
import {
  type Accepted,
  type Credential,
  type EventDraft,
  getEvent,
  inQuery,
  listEvents,
  parseListFilter,
  publishedData,
  publishInOrder,
} from '@posthorn/engine'
import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { sendExactJson } from '../exact-json.ts'
import { wirePage } from '../pages.ts'
import type { RouteParts } from '../parts.ts'
import { pathId } from '../path-id.ts'
import { may, nameOf } from '../permissions.ts'
import { invalidRequest } from '../plugins/request-places.ts'
import { eventDraft, type Publication, publishedEventView, traceOf } from '../publish-body.ts'
import { readerOf } from '../reader.ts'
import { refusals } from '../refusals.ts'
import { eventSummaryView, eventView } from '../views/event.ts'
import { dryRunView } from '../views/match.ts'

const tags = ['Events']
/** One object: compiled validators are found by it. */
const publishEvent = reference(PublishEvent)

export const eventRoutes: FastifyPluginAsyncTypebox<RouteParts> = async (
  app,
  { db, world, publisher, transforms, links, origin },
) => {
  app.post(
    '/events',
    {
      config: {
        permission: 'events:publish',
        repeatable: true,
        textKept: 'data',
        audit: { none: 'an event is its own record' },
      },
      schema: {
        operationId: 'publishEvent',
        summary: 'Publish an event',
        description:
          'When the answer is there, the event and its deliveries are committed. The bytes of `data` are sent as they came. With `dry_run=1` nothing is stored, and the answer says what would be sent to whom.',
        tags,
        querystring: PublishQuery,
        body: publishEvent,
        response: {
          200: Type.Union([reference(PublishedEvent), reference(DryRun)]),
          202: reference(PublishedEvent),
          ...refusals({ body: true }, 'tenant_not_found', 'payload_invalid', 'event_type_reserved', 'invalid_header'),
        },
      },
    },
    async (request, reply) => {
      const { query, body, bodyText, credential } = request
      const draft = eventDraft(body, publishedData(bodyText), publicationOf(request))
      if (query.dry_run === '1') {
        mayDryRun(credential)
        const shown = await publisher.dryRun(draft, { transforms, origin })
        return reply.code(200).send(dryRunView(shown, readerOf(credential)))
      }
      const accepted = await publisher.publish(draft)
      request.published = [accepted.eventId]
      return reply.code(statusOf(accepted)).send(publishedEventView(accepted))
    },
  )

  app.post(
    '/events/batch',
    {
      bodyLimit: limits.batchBodyBytesMax,
      config: {
        permission: 'events:publish',
        repeatable: true,
        bodyItems: 'events',
        textKept: 'data',
        audit: { none: 'an event is its own record' },
      },
      schema: {
        operationId: 'publishEvents',
        summary: 'Publish up to 1,000 events, each on its own',
        description: 'One bad event does not fail the others: each has its own result, in order.',
        tags,
        body: PublishEvents,
        response: { 207: reference(PublishResults), ...refusals({ body: true }) },
      },
    },
    async (request, reply) => {
      const isPublishEvent = request.compileValidationSchema(publishEvent)
      const items = request.bodyItems
      const publication = publicationOf(request)

      function draftOf(body: unknown, index: number): EventDraft | Problem {
        try {
          // One for each event: they were read from the same text.
          const item = items[index] ?? ''
          if (item instanceof Problem) return item
          if (!isPublishEvent(body)) return invalidRequest('event', isPublishEvent.errors ?? [])
          // Just validated by the schema of this type.
          return eventDraft(body as PublishEvent, publishedData(item), publication, index)
        } catch (error) {
          if (error instanceof Problem) return error
          throw error
        }
      }

      const outcomes = await publishInOrder(publisher, request.body.events.map(draftOf))
      for (const outcome of outcomes) {
        if (outcome instanceof Problem && outcome.status >= 500) {
          request.log.error({ err: outcome.cause, code: outcome.code }, 'event of a batch refused')
        }
      }
      request.published = outcomes.flatMap((outcome) => (outcome instanceof Problem ? [] : outcome.eventId))
      const where = { requestId: request.id, docsUrl: links.errorsUrl }
      return reply.code(207).send({ results: outcomes.map((outcome) => resultOf(outcome, where)) })
    },
  )

  app.get(
    '/events',
    {
      config: { permission: 'events:read' },
      schema: {
        operationId: 'listEvents',
        summary: 'List events, without their data',
        tags,
        querystring: EventQuery,
        response: { 200: reference(EventSummaryPage), ...refusals({ body: false }) },
      },
    },
    async (request, reply) => {
      const reading = { within: request.credential.tenantId, nowMs: world.now(), pointer: inQuery }
      const found = await listEvents(db, parseListFilter(request.query, reading), request.query)
      const reader = readerOf(request.credential)
      return wirePage({ request, reply, links }, found, (event) => eventSummaryView(event, reader))
    },
  )

  app.get(
    '/events/:id',
    {
      config: { permission: 'events:read' },
      schema: {
        operationId: 'getEvent',
        summary: 'Read an event, with the bytes of its data',
        tags,
        params: Type.Object({ id: PathId('event') }),
        response: { 200: reference(Event), ...refusals({ body: false }, 'event_not_found') },
      },
    },
    async ({ params, credential }, reply) => {
      const event = await getEvent(db, pathId('event', params.id), credential.tenantId)
      return sendExactJson(reply, eventView(event, readerOf(credential)))
    },
  )
}

function publicationOf({ credential, headers, idempotency }: FastifyRequest): Publication {
  return { credential, traceparent: traceOf(headers['traceparent']), once: idempotency }
}

/** A dry run shows URLs and headers of subscriptions. */
function mayDryRun(credential: Credential): void {
  if (may(credential, 'subscriptions:read')) return
  throw new Problem('forbidden', `A dry run shows subscriptions. ${nameOf(credential)} may not read them.`)
}

function statusOf(accepted: Accepted): 200 | 202 {
  return accepted.duplicate ? 200 : 202
}

function resultOf(outcome: Accepted | Problem, where: { requestId: string; docsUrl: string }): PublishResult {
  return outcome instanceof Problem
    ? { status: outcome.status, problem: problemBody(outcome, where) }
    : { status: statusOf(outcome), event: publishedEventView(outcome) }
}
