import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { PathId, ProblemSchema, PublicKeys, problems, reference } from '@posthorn/contract'
import { listPublicKeys } from '@posthorn/engine'
import { Type } from 'typebox'
import type { RouteParts } from '../parts.ts'
import { pathId } from '../path-id.ts'
import { publicKeyView } from '../views/subscription.ts'

/** Receivers may keep the keys for so long: much less than the overlap of a rotation, in seconds. */
const cacheSeconds = 300

/** Public: a receiver has no key, and what it may ask for here is no secret. */
export const publicKeyRoutes: FastifyPluginAsyncTypebox<RouteParts> = async (app, parts) => {
  app.get(
    '/subscriptions/:id/public-keys',
    {
      schema: {
        operationId: 'listPublicKeys',
        summary: 'Show the public keys that verify `v1a` signatures',
        description:
          'For receivers, without an API key: the keys of all pairs that sign now, the current one first; none for a subscription that does not sign by `v1a`.',
        tags: ['Subscriptions'],
        security: [],
        params: Type.Object({ id: PathId('subscription') }),
        response: {
          200: reference(PublicKeys),
          404: {
            description: `\`subscription_not_found\`: ${problems.subscription_not_found.title}`,
            content: { 'application/problem+json': { schema: reference(ProblemSchema) } },
          },
        },
      },
    },
    async ({ params }, reply) => {
      const keys = await listPublicKeys(parts, pathId('subscription', params.id))
      reply.header('cache-control', `public, max-age=${cacheSeconds}`)
      return { data: keys.map(publicKeyView) }
    },
  )
}
