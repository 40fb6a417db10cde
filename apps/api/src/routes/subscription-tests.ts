/** Testing a subscription: one request now, with all that came of it. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { formatId, reference, SubscriptionTest, TestSubscriptionQuery } from '@posthorn/contract'
import { testSubscription } from '@posthorn/engine'
import type { RouteParts } from '../parts.ts'
import { audited } from '../plugins/audit.ts'
import { readerOf } from '../reader.ts'
import { answeredView, sentView } from '../views/test-outcome.ts'
import { askedOf, nothingSaid, testConfig, testedSubscription, testRefusals, whoSendsIt } from './test-calls.ts'

export const subscriptionTestRoutes: FastifyPluginAsyncTypebox<RouteParts> = async (app, { db, world, links }) => {
  app.post(
    '/subscriptions/:id/test',
    {
      config: testConfig,
      schema: {
        operationId: 'testSubscription',
        summary: 'Send a signed test event now, and see all that comes of it',
        description: `Also to a subscription that is paused or disabled. It is sent once, and changes neither the health of the subscription nor its deliveries. ${whoSendsIt}`,
        tags: ['Subscriptions'],
        params: testedSubscription,
        querystring: TestSubscriptionQuery,
        body: nothingSaid,
        response: { 200: reference(SubscriptionTest), ...testRefusals() },
      },
    },
    async ({ params, query, credential, audit }) => {
      const { subscriptionId, asked } = askedOf(params.id, query, { credential })
      const parts = audited({ db, world }, audit)
      const made = await testSubscription(parts, subscriptionId, credential.tenantId, asked)
      const reader = readerOf(credential)
      return {
        subscription_id: formatId('subscription', subscriptionId),
        event_id: formatId('event', made.eventId),
        event_type: made.eventType,
        accepted: made.failureCode === null,
        started_at: made.startedAt,
        request: { method: 'POST', url: made.url, ...sentView(made, reader) },
        remote_address: made.remoteAddress,
        ...answeredView(made, reader, links),
        timings: {
          wait_ms: made.waitMs,
          dns_ms: made.dnsMs,
          connect_ms: made.connectMs,
          tls_ms: made.tlsMs,
          first_byte_ms: made.firstByteMs,
          total_ms: made.totalMs,
        },
      }
    },
  )
}
