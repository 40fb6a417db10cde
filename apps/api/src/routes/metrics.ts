import type { FastifyPluginAsync } from 'fastify'
import type { RouteParts } from '../parts.ts'

/** Public like the health of the process: it names no tenant. Not in the document of the API, for it is none of it. */
export const metricRoutes: FastifyPluginAsync<Pick<RouteParts, 'metrics'>> = async (app, { metrics }) => {
  app.get('/metrics', { schema: { hide: true } }, async (_request, reply) =>
    reply.type(metrics.contentType).send(await metrics.text()),
  )
}
