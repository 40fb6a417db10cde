/** Testing a subscription: one request now, with all that came of it. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { formatId, PathId, reference, SubscriptionTest, TestSubscriptionQuery } from '@posthorn/contract'
import { testSubscription } from '@posthorn/engine'
import { Type } from 'typebox'
import type { RouteParts } from '../parts.ts'
import { pathId } from '../path-id.ts'
import { audited } from '../plugins/audit.ts'
import { readerOf } from '../reader.ts'
import { refusals } from '../refusals.ts'
import { requestHeadersView, responseHeadersView } from '../views/headers.ts'

export const subscriptionTestRoutes: FastifyPluginAsyncTypebox<RouteParts> = async (app, { db, world, links }) => {
  app.post(
    '/subscriptions/:id/test',
    {
      config: { permission: 'subscriptions:test', bodyOptional: true, audit: 'subscription_tested' },
      schema: {
        operationId: 'testSubscription',
        summary: 'Send a signed test event now, and see all that comes of it',
        description:
          'Also to a subscription that is paused or disabled. It is sent once, and changes neither the health of the subscription nor its deliveries. A dispatcher sends it: `no_dispatcher` when none came for it and nothing was sent, `outcome_unknown` when the one that took it did not tell what came of it.',
        tags: ['Subscriptions'],
        params: Type.Object({ id: PathId('subscription') }),
        querystring: TestSubscriptionQuery,
        body: Type.Object({}, { additionalProperties: false }),
        response: {
          200: reference(SubscriptionTest),
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
      const made = await testSubscription(audited({ db, world }, audit), id, credential.tenantId, {
        ...(query.event_type !== undefined && { eventType: query.event_type }),
        actor: credential.actor,
      })
      const reader = readerOf(credential)
      const body = reader.payloads ? made.requestBody : null
      return {
        subscription_id: formatId('subscription', id),
        event_id: formatId('event', made.eventId),
        event_type: made.eventType,
        accepted: made.failureCode === null,
        started_at: made.startedAt,
        request: {
          method: 'POST',
          url: made.url,
          headers: requestHeadersView(made.requestHeaders, reader, new Set()),
          body,
        },
        remote_address: made.remoteAddress,
        response:
          made.status === null
            ? null
            : {
                status: made.status,
                headers: responseHeadersView(made.responseHeaders, reader),
                body: reader.payloads ? Buffer.from(made.responseBody, 'base64').toString('utf8') : null,
                truncated: made.responseTruncated,
              },
        failure_code: made.failureCode,
        failure_detail: made.failureDetail,
        explained_at: made.failureCode && `${links.errorsUrl}#${made.failureCode}`,
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
