/**
 * Lets in who has a key, or the token of a portal session, that may do what the route does. It is registered in the scope of the protected routes;
 * public ones stand outside of that scope, so no path is ever compared.
 */
import { Problem } from '@posthorn/contract'
import type { Authenticate, Credential } from '@posthorn/engine'
import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { may, nameOf, type Permission } from '../permissions.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks. Only in protected routes. */
    credential: Credential
    /** Whether that credential could still ask this. For answers that go on for long. */
    mayStillAsk(): Promise<boolean>
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
    app.decorateRequest('credential', nobody as never)
    app.decorateRequest('mayStillAsk', async () => false)
    app.addHook('onRoute', (route) => {
      if (route.config?.permission === undefined) throw new Error(`${route.url} names no permission`)
    })
    app.addHook('onRequest', async (request, reply) => {
      const credential = await credentialOf(request).catch(async (error: unknown) => {
        if (error instanceof Problem && error.code === 'unauthenticated') await app.countStranger(request, reply)
        throw error
      })
      const { permission } = request.routeOptions.config
      if (permission === undefined || !may(credential, permission)) {
        throw new Problem('forbidden', `${nameOf(credential)} may not do this (${permission}).`)
      }
      request.credential = credential
      await app.countCredential(request, reply)
      request.mayStillAsk = async () => {
        const now = await authenticate(textOf(request))
        return now !== undefined && now.tenantId === credential.tenantId && may(now, permission)
      }
    })

    async function credentialOf(request: FastifyRequest): Promise<Credential> {
      const text = textOf(request)
      const credential = await authenticate(text)
      if (credential === undefined) throw unauthenticated(`This ${wordFor(text)} is unknown, expired or revoked.`)
      return credential
    }
  },
  { name: 'authentication', dependencies: ['rate-limits'] },
)

function textOf(request: FastifyRequest): string {
  const inQuery = Object.values(Object(request.query)).flat()
  // A part of the path is often a name of somebody's own, which may begin so.
  const inPath = Object.values(Object(request.params))
  if (inQuery.some(isCredential(/^(bearer )?ph[ks]_/i)) || inPath.some(isCredential(/^ph[ks]_[a-z0-9]{27}/i))) {
    throw unauthenticated(
      'There is a credential in the URL, where logs and proxies keep it. Send it in the header `authorization: Bearer …`, and revoke this one.',
    )
  }
  const { authorization } = request.headers
  if (authorization === undefined) {
    throw unauthenticated('Send an API key, or the token of a portal session, in the header `authorization: Bearer …`.')
  }
  const key = /^bearer +(\S+)$/i.exec(authorization)?.[1]
  if (key === undefined) throw unauthenticated('The header authorization is not `Bearer` and an API key or a token.')
  return key
}

function isCredential(form: RegExp): (value: unknown) => boolean {
  return (value) => typeof value === 'string' && form.test(value)
}

function unauthenticated(detail: string): Problem {
  return new Problem('unauthenticated', detail)
}

function wordFor(text: string): string {
  return text.startsWith('phs_') ? 'portal session' : 'API key'
}
