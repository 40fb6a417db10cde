/** Why a request does not verify, for the developer of its receiver. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { CheckSignature, formatId, reference, SignatureCheck } from '@posthorn/contract'
import { checkSignature } from '@posthorn/engine'
import type { RouteParts } from '../parts.ts'
import { pathId } from '../path-id.ts'
import { timeOf } from '../publish-body.ts'
import { refusals } from '../refusals.ts'

export const signatureCheckRoutes: FastifyPluginAsyncTypebox<RouteParts> = async (app, parts) => {
  app.post(
    '/signature-checks',
    {
      config: { permission: 'signatures:check', audit: { none: 'it changes nothing' } },
      schema: {
        operationId: 'checkSignature',
        summary: 'Find out why a request does not verify',
        description:
          'Takes a request as its receiver got it, and names the mistake: every usual one is tried, with all secrets of the subscription, also expired ones, and those of its tenant, and where the event is known the body is compared with the one that was sent. It answers neither with a secret nor with the signature that was expected.',
        tags: ['Subscriptions'],
        body: CheckSignature,
        response: { 200: reference(SignatureCheck), ...refusals({ body: true }, 'subscription_not_found') },
      },
    },
    async ({ body, credential }) => {
      const { headers, received_at, computed_signature: computedSignature } = body
      const receivedAt = received_at === undefined ? undefined : timeOf(received_at, '/received_at')
      const check = await checkSignature(parts, pathId('subscription', body.subscription), credential.tenantId, {
        headers,
        body: body.body,
        ...(receivedAt && { receivedAt }),
        ...(computedSignature !== undefined && { computedSignature }),
      })
      const { valid, authentic, cause, detail, subscriptionId, comparedWithSentBody } = check
      return {
        valid,
        authentic,
        cause,
        detail,
        subscription_id: subscriptionId && formatId('subscription', subscriptionId),
        compared_with_sent_body: comparedWithSentBody,
      }
    },
  )
}
