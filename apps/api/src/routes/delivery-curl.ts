/** What was sent, as a command that sends it again from somebody's own machine. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { CurlCommand, PathId, Problem, reference } from '@posthorn/contract'
import { curlCommand, getDelivery, getEvent, newestSent, redacted, refuseErased, sentBody } from '@posthorn/engine'
import { Type } from 'typebox'
import type { RouteParts } from '../parts.ts'
import { pathId } from '../path-id.ts'
import { nameOf } from '../permissions.ts'
import { readerOf } from '../reader.ts'
import { refusals } from '../refusals.ts'
import { requestHeadersView } from '../views/headers.ts'

export const deliveryCurlRoutes: FastifyPluginAsyncTypebox<RouteParts> = async (app, parts) => {
  const { db } = parts
  app.get(
    '/deliveries/:id/curl',
    {
      config: { permission: 'deliveries:read' },
      schema: {
        operationId: 'getDeliveryCurl',
        summary: 'Get the newest request of a delivery as a curl command',
        description:
          'For a POSIX shell, with the exact body and the signature as it was sent: receivers refuse it when it is older than five minutes. Credentials of the subscription are left out and named. Only for keys that may see payloads.',
        tags: ['Deliveries'],
        params: Type.Object({ id: PathId('delivery') }),
        response: {
          200: reference(CurlCommand),
          ...refusals({ body: false }, 'delivery_not_found', 'delivery_state_conflict', 'content_erased'),
        },
      },
    },
    async ({ params, credential }) => {
      const delivery = await getDelivery(db, pathId('delivery', params.id), credential.tenantId)
      const reader = readerOf(credential)
      if (!reader.payloads) {
        throw new Problem(
          'forbidden',
          `${nameOf(credential)} may not see payloads (payloads:read), and the command holds one.`,
        )
      }
      const event = await getEvent(db, delivery.event_id, delivery.tenant_id)
      refuseErased(event)
      const attempt = await newestSent(db, { id: delivery.id, tenantId: delivery.tenant_id })
      if (attempt === undefined) {
        throw new Problem('delivery_state_conflict', 'Nothing has been sent yet. Look again after the first attempt.')
      }
      const body = await sentBody(parts, event, delivery.subscription_id, attempt.headers)
      if (body === null) {
        const why = 'The body was made by a transform that cannot be evaluated any more, so it cannot be told.'
        throw new Problem('delivery_state_conflict', why)
      }
      const entries = Object.entries(requestHeadersView(attempt.headers, reader, new Set()))
      const leftOut = entries.filter(([, value]) => value === redacted).map(([name]) => name)
      const headers = Object.fromEntries(entries.filter(([, value]) => value !== redacted))
      return {
        command: curlCommand({ url: attempt.url, headers, body }),
        attempt_number: attempt.number,
        signed_at: attempt.startedAt.toISOString(),
        left_out_headers: leftOut,
      }
    },
  )
}
