/**
 * Lets in who has a key whose role may do what the route does. It is registered in the scope of the protected routes;
 * public ones stand outside of that scope, so no path is ever compared.
 */
import { Problem } from '@posthorn/contract'
import type { Authenticate, Credential } from '@posthorn/engine'
import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { may, type Permission } from '../permissions.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks. Only in protected routes. */
    credential: Credential
  }
  interface FastifyContextConfig {
    /** What the route does. Every protected route names it. */
    permission?: Permission
  }
}

const nobody: Credential | null = null

export const authentication = fp<{ authenticate: Authenticate }>(
  async (app, { authenticate }) => {
    // The hook below replaces it before any handler runs.
    app.decorateRequest('credential', nobody as unknown as Credential)
    app.addHook('onRoute', (route) => {
      if (route.config?.permission === undefined) throw new Error(`${route.url} names no permission`)
    })
    app.addHook('onRequest', async (request, reply) => {
      const credential = await credentialOf(request).catch(async (error: unknown) => {
        if (error instanceof Problem && error.code === 'unauthenticated') await app.countStranger(request, reply)
        throw error
      })
      const { permission } = request.routeOptions.config
      if (permission === undefined || !may(credential.role, permission)) {
        throw new Problem('forbidden', `A key of the role ${credential.role} may not do this (${permission}).`)
      }
      request.credential = credential
      await app.countCredential(request, reply)
    })

    async function credentialOf(request: FastifyRequest): Promise<Credential> {
      const credential = await authenticate(keyOf(request))
      if (credential === undefined) throw unauthenticated('This API key is unknown, expired or revoked.')
      return credential
    }
  },
  { name: 'authentication', dependencies: ['rate-limits'] },
)

function keyOf(request: FastifyRequest): string {
  const inQuery = Object.values(Object(request.query)).flat()
  if (inQuery.some((value) => typeof value === 'string' && /^(bearer )?phk_/i.test(value))) {
    throw unauthenticated(
      'There is an API key in the URL, where logs and proxies keep it. Send it in the header `authorization: Bearer …`, and revoke this one.',
    )
  }
  const { authorization } = request.headers
  if (authorization === undefined) throw unauthenticated('Send an API key in the header `authorization: Bearer phk_…`.')
  const key = /^bearer +(\S+)$/i.exec(authorization)?.[1]
  if (key === undefined) throw unauthenticated('The header authorization is not `Bearer` and an API key.')
  return key
}

function unauthenticated(detail: string): Problem {
  return new Problem('unauthenticated', detail)
}
