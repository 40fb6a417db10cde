/** Checking a receiver: how it treats events that are good, forged, old, repeated, unknown and large. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { CheckReceiverQuery, reference, Scorecard } from '@posthorn/contract'
import { checkReceiver } from '@posthorn/engine'
import type { RouteParts } from '../parts.ts'
import { audited } from '../plugins/audit.ts'
import { readerOf } from '../reader.ts'
import { scorecardView } from '../views/scorecard.ts'
import { askedOf, nothingSaid, testConfig, testedSubscription, testRefusals, whoSendsIt } from './test-calls.ts'

export const receiverCheckRoutes: FastifyPluginAsyncTypebox<RouteParts> = async (app, { db, world, links }) => {
  app.post(
    '/subscriptions/:id/conformance',
    {
      config: testConfig,
      schema: {
        operationId: 'checkReceiver',
        summary: 'Check a receiver, and see what to mend',
        description: `Sends up to nine requests to the URL of the subscription, one after the other, and judges the answers: a good event, one with a wrong signature, a stale one, the good one again, one of an unknown type, one with unknown members, a large one, and two that are signed as during a rotation. Each carries the header \`posthorn-test\`, names an event that does not exist and is sent without the transform. Nothing of it changes the health of the subscription or its deliveries. It takes up to 40 s, and a paused or disabled subscription is checked too. ${whoSendsIt}`,
        tags: ['Subscriptions'],
        params: testedSubscription,
        querystring: CheckReceiverQuery,
        body: nothingSaid,
        response: { 200: reference(Scorecard), ...testRefusals() },
      },
    },
    async ({ params, query, credential, audit }) => {
      const { subscriptionId, asked } = askedOf(params.id, query, { credential })
      const parts = audited({ db, world }, audit)
      const outcome = await checkReceiver(parts, subscriptionId, credential.tenantId, asked)
      return scorecardView(subscriptionId, outcome, readerOf(credential), links)
    },
  )
}
