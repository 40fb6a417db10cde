/** Checking a receiver: how it treats events that are good, forged, old, repeated, unknown and large. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { CheckReceiverQuery, PathId, reference, Scorecard } from '@posthorn/contract'
import { checkReceiver } from '@posthorn/engine'
import { Type } from 'typebox'
import type { RouteParts } from '../parts.ts'
import { pathId } from '../path-id.ts'
import { audited } from '../plugins/audit.ts'
import { readerOf } from '../reader.ts'
import { refusals } from '../refusals.ts'
import { scorecardView } from '../views/scorecard.ts'

export const receiverCheckRoutes: FastifyPluginAsyncTypebox<RouteParts> = async (app, { db, world, links }) => {
  app.post(
    '/subscriptions/:id/conformance',
    {
      config: { permission: 'subscriptions:test', bodyOptional: true, audit: 'subscription_tested' },
      schema: {
        operationId: 'checkReceiver',
        summary: 'Check a receiver, and see what to mend',
        description:
          'Sends up to nine requests to the URL of the subscription, one after the other, and judges the answers: a good event, one with a wrong signature, a stale one, the good one again, one of an unknown type, one with unknown members, a large one, and two that are signed as during a rotation. Each carries the header `posthorn-test`, names an event that does not exist and is sent without the transform. Nothing of it changes the health of the subscription or its deliveries. It takes up to 40 s, and a paused or disabled subscription is checked too. A dispatcher sends it: `no_dispatcher` when none came for it and nothing was sent, `outcome_unknown` when the one that took it did not tell what came of it.',
        tags: ['Subscriptions'],
        params: Type.Object({ id: PathId('subscription') }),
        querystring: CheckReceiverQuery,
        body: Type.Object({}, { additionalProperties: false }),
        response: {
          200: reference(Scorecard),
          ...refusals(
            { body: true },
            'subscription_not_found',
            'event_type_not_found',
            'subscription_test_running',
            'no_dispatcher',
            'outcome_unknown',
          ),
        },
      },
    },
    async ({ params, query, credential, audit }) => {
      const id = pathId('subscription', params.id)
      const outcome = await checkReceiver(audited({ db, world }, audit), id, credential.tenantId, {
        ...(query.event_type !== undefined && { eventType: query.event_type }),
        actor: credential.actor,
      })
      return scorecardView(id, outcome, readerOf(credential), links)
    },
  )
}
