/** What everybody may know of this installation. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Meta, reference } from '@posthorn/contract'
import type { RouteParts } from '../parts.ts'
import { metaView } from '../views/meta.ts'

const cacheSeconds = 300

/** Public: whoever has to let requests in has no key, and nothing here is a secret. */
export const metaRoutes: FastifyPluginAsyncTypebox<RouteParts> = async (app, parts) => {
  app.get(
    '/meta',
    {
      schema: {
        operationId: 'getMeta',
        summary: 'Read the version, the limits, and where requests come from',
        description: 'Without an API key. The addresses are those that the operator has named (`POSTHORN_EGRESS_IPS`).',
        tags: ['Health'],
        security: [],
        response: { 200: reference(Meta) },
      },
    },
    async (_request, reply) => {
      reply.header('cache-control', `public, max-age=${cacheSeconds}`)
      return metaView(parts)
    },
  )
}
