/**
 * What Node would answer by itself, without a body of ours: a missing `Host`, and an `Expect` that it does not know.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Problem } from '@posthorn/contract'
import fp from 'fastify-plugin'

export const wellFormedHttp = fp(
  async (app) => {
    app.addHook('onRequest', async (request) => {
      const { host } = request.headers
      // RFC 9112 §3.2: HTTP/1.1 without it, or with what is no host, is a bad request.
      if (host === undefined ? request.raw.httpVersion === '1.1' : !URL.canParse(`http://${host}`)) {
        throw new Problem('malformed_request', 'The header host is missing, or names no host.')
      }
    })
    // RFC 9110 §10.1.1 lets a server ignore an expectation that it cannot meet.
    app.server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
      app.server.emit('request', request, response)
    })
    app.addHook('onRequest', async (_request, reply) => {
      reply.header('x-content-type-options', 'nosniff')
      reply.header('cache-control', 'no-store')
    })
  },
  { name: 'well-formed-http' },
)
