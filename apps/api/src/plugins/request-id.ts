/**
 * Every request has an id: the caller's own where it is harmless, else a new one. It is in the answer, in problems and
 * in the log.
 */
import type { IncomingMessage } from 'node:http'
import type { World } from '@posthorn/engine'
import fp from 'fastify-plugin'

const header = 'x-request-id'
const form = /^[A-Za-z0-9._-]{1,128}$/
const newIdBytes = 12

/** The id of a request, before anything else is known of it. */
export function requestIdOf(world: World): (request: Pick<IncomingMessage, 'headers'>) => string {
  return ({ headers }) => {
    const given = headers[header]
    return typeof given === 'string' && form.test(given) ? given : newRequestId(world)
  }
}

export function newRequestId(world: World): string {
  return `req_${Buffer.from(world.randomBytes(newIdBytes)).toString('hex')}`
}

export const requestId = fp(
  async (app) => {
    app.addHook('onRequest', async (request, reply) => {
      reply.header(header, request.id)
    })
  },
  { name: 'request-id' },
)
