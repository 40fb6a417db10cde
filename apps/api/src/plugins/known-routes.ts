/**
 * Tells a path that does not exist (404) from one that does not know the method (405, with `allow`).
 */
import { Problem } from '@posthorn/contract'
import type { FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'

type KnownRoute = { methods: readonly string[]; path: RegExp }

export const knownRoutes = fp(
  async (app) => {
    const routes: KnownRoute[] = []
    app.addHook('onRoute', ({ method, url }) => {
      routes.push({ methods: [method].flat(), path: pathForm(url) })
    })
    // Before the body of a request to nowhere is read: nobody wants it.
    app.addHook('onRequest', async (request, reply) => {
      if (request.is404) throw notFound(routes, request, reply)
    })
    // Never reached behind the hook above, and without it the framework would answer by itself.
    app.setNotFoundHandler((request, reply) => {
      throw notFound(routes, request, reply)
    })
  },
  { name: 'known-routes' },
)

function notFound(routes: readonly KnownRoute[], request: FastifyRequest, reply: FastifyReply): Problem {
  const path = request.url.split('?', 1)[0] ?? ''
  const methods = new Set(routes.flatMap((route) => (route.path.test(path) ? route.methods : [])))
  if (methods.size === 0) {
    return new Problem('route_not_found', 'There is nothing at this path. The API begins at /v1; /docs describes it.')
  }
  const allow = [...methods].sort().join(', ')
  reply.header('allow', allow)
  return new Problem('method_not_allowed', `This path answers to ${allow}.`)
}

/** `/v1/events/:id` → any one segment in place of the parameter. */
function pathForm(url: string): RegExp {
  const segments = url.split('/').map((segment) => {
    if (segment.startsWith(':')) return '[^/]+'
    return segment === '*' ? '.*' : segment.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
  })
  return new RegExp(`^${segments.join('/')}$`)
}
