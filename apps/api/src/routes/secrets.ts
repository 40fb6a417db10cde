/** What a subscription's requests are signed with: showing its secrets, and changing its secrets and key pairs. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import {
  limits,
  PathId,
  RotatedPublicKey,
  RotatedSecret,
  RotateKeyPair,
  RotateSecret,
  reference,
  Secrets,
} from '@posthorn/contract'
import { revealSecrets, rotateKeyPair, rotateSecret } from '@posthorn/engine'
import { Type } from 'typebox'
import type { RouteParts } from '../parts.ts'
import { pathId } from '../path-id.ts'
import { audited } from '../plugins/audit.ts'
import { refusals } from '../refusals.ts'
import { olderView, publicKeyView, secretView } from '../views/subscription.ts'

const tags = ['Subscriptions']
const params = Type.Object({ id: PathId('subscription') })

export const secretRoutes: FastifyPluginAsyncTypebox<RouteParts> = async (app, parts) => {
  app.get(
    '/subscriptions/:id/secrets',
    {
      config: { permission: 'secrets:reveal', audit: 'secrets_revealed' },
      schema: {
        operationId: 'revealSecrets',
        summary: 'Show the signing secrets of a subscription',
        tags,
        params,
        response: { 200: reference(Secrets), ...refusals({ body: false }, 'subscription_not_found') },
      },
    },
    async ({ params, credential, audit }) => {
      const secrets = await revealSecrets(audited(parts, audit), pathId('subscription', params.id), credential.tenantId)
      return { data: secrets.map(secretView) }
    },
  )

  app.post(
    '/subscriptions/:id/secrets',
    {
      config: { permission: 'secrets:rotate', bodyOptional: true, audit: 'secret_rotated' },
      schema: {
        operationId: 'rotateSecret',
        summary: 'Make a new signing secret the current one',
        description: `The older ones sign beside it, so that the receiver can change over: a request then carries a signature by each. At most ${limits.signingKeysMax} sign at once.`,
        tags,
        params,
        body: RotateSecret,
        response: {
          201: reference(RotatedSecret),
          ...refusals({ body: true }, 'subscription_not_found', 'invalid_secret', 'limit_reached'),
        },
      },
    },
    async ({ params, body, credential, audit }, reply) => {
      const { overlap_seconds: overlapSeconds = limits.overlapSecondsDefault, ...given } = body
      const id = pathId('subscription', params.id)
      const secret = await rotateSecret(audited(parts, audit), id, credential.tenantId, { overlapSeconds, ...given })
      return reply.code(201).send({ ...secretView(secret), older: secret.older.map(olderView) })
    },
  )

  app.post(
    '/subscriptions/:id/public-keys',
    {
      config: { permission: 'secrets:rotate', bodyOptional: true, audit: 'key_pair_rotated' },
      schema: {
        operationId: 'rotateKeyPair',
        summary: 'Make a new key pair the current one',
        description: `For a subscription that signs by \`v1a\`. The older pairs sign beside it; at most ${limits.signingKeysMax} sign at once. Private keys are never shown.`,
        tags,
        params,
        body: RotateKeyPair,
        response: {
          201: reference(RotatedPublicKey),
          ...refusals({ body: true }, 'subscription_not_found', 'limit_reached'),
        },
      },
    },
    async ({ params, body, credential, audit }, reply) => {
      const overlapSeconds = body.overlap_seconds ?? limits.overlapSecondsDefault
      const pair = await rotateKeyPair(
        audited(parts, audit),
        pathId('subscription', params.id),
        credential.tenantId,
        overlapSeconds,
      )
      return reply.code(201).send({ ...publicKeyView(pair), older: pair.older.map(olderView) })
    },
  )
}
