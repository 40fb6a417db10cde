/** Erasing what events hold, of one tenant or of one business key: one call. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import {
  CreateErasure,
  ErasurePage,
  Erasure as erasureSchema,
  formatId,
  PageQuery,
  PathId,
  reference,
  type Erasure as WireErasure,
} from '@posthorn/contract'
import { type Erasure, getErasure, listErasures, requestErasure } from '@posthorn/engine'
import { Type } from 'typebox'
import { wirePage } from '../pages.ts'
import type { RouteParts } from '../parts.ts'
import { pathId } from '../path-id.ts'
import { audited } from '../plugins/audit.ts'
import { refusals } from '../refusals.ts'

const tags = ['Erasures']

export const erasureRoutes: FastifyPluginAsyncTypebox<RouteParts> = async (app, parts) => {
  const { db, links } = parts

  app.post(
    '/erasures',
    {
      config: { permission: 'erasures:write', audit: 'erasure_requested' },
      schema: {
        operationId: 'createErasure',
        summary: 'Take away what events hold, of one tenant or of one business key',
        description:
          'What is still to be delivered of them is canceled first. Then data, business keys, your own ids, traces, headers, answers and reasons go, and ids, states, times and codes stay. It is done by a job, in portions; read the erasure to see how far it is. An event of which an attempt is in flight is erased when that has ended. What is in the outbox goes with the call; while that is being published for long, the call is refused with `overloaded`. What is published after the call is not part of it.',
        tags,
        body: CreateErasure,
        response: { 202: reference(erasureSchema), ...refusals({ body: true }, 'tenant_not_found') },
      },
    },
    async ({ body, credential, audit }, reply) => {
      const [pair] = Object.entries(body.key ?? {})
      const key = pair && { name: pair[0], value: pair[1] }
      const draft = { tenantId: body.tenant, key, actor: credential.actor, reason: body.reason }
      return reply.code(202).send(erasureView(await requestErasure(audited(parts, audit), draft)))
    },
  )

  app.get(
    '/erasures/:id',
    {
      config: { permission: 'erasures:read' },
      schema: {
        operationId: 'getErasure',
        summary: 'See how far an erasure is',
        tags,
        params: Type.Object({ id: PathId('erasure') }),
        response: { 200: reference(erasureSchema), ...refusals({ body: false }, 'erasure_not_found') },
      },
    },
    async ({ params }) => erasureView(await getErasure(db, pathId('erasure', params.id))),
  )

  app.get(
    '/erasures',
    {
      config: { permission: 'erasures:read' },
      schema: {
        operationId: 'listErasures',
        summary: 'List erasures',
        tags,
        querystring: PageQuery,
        response: { 200: reference(ErasurePage), ...refusals({ body: false }) },
      },
    },
    async (request, reply) => wirePage({ request, reply, links }, await listErasures(db, request.query), erasureView),
  )
}

function erasureView(erasure: Erasure): WireErasure {
  return {
    id: formatId('erasure', erasure.id),
    tenant: erasure.tenantId,
    key_name: erasure.keyName,
    // The column's CHECK is held to the list of words by a test.
    state: erasure.state as WireErasure['state'],
    actor: erasure.actor,
    reason: erasure.reason,
    events: erasure.eventCount,
    deliveries: erasure.deliveryCount,
    attempts: erasure.attemptCount,
    canceled: erasure.canceledCount,
    created_at: erasure.createdAt.toISOString(),
    finished_at: erasure.finishedAt?.toISOString() ?? null,
  }
}
