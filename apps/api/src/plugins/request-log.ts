/**
 * One line for each answered request: the route and not the URL, because a URL may carry what is nobody's business.
 */
import fp from 'fastify-plugin'

export const requestLog = fp(
  async (app) => {
    app.addHook('onResponse', async (request, reply) => {
      const actor = request.credential?.actor
      request.log.info(
        {
          method: request.method,
          route: request.routeOptions.url,
          status: reply.statusCode,
          ms: Math.round(reply.elapsedTime * 10) / 10,
          ...(actor === undefined ? {} : { actor }),
        },
        'request',
      )
    })
  },
  { name: 'request-log' },
)
