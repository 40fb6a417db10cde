/** What one asks with: a console or a portal finds out what it may show. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Credential, reference } from '@posthorn/contract'
import type { RouteParts } from '../parts.ts'
import { permissionsOf } from '../permissions.ts'
import { refusals } from '../refusals.ts'

export const credentialRoutes: FastifyPluginAsyncTypebox<RouteParts> = async (app) => {
  app.get(
    '/credential',
    {
      config: { permission: 'credential:read' },
      schema: {
        operationId: 'getCredential',
        summary: 'See what this API key or portal session is, and what it may do',
        tags: ['API keys'],
        response: { 200: reference(Credential), ...refusals({ body: false }) },
      },
    },
    async ({ credential }) => {
      const isSession = credential.kind === 'portal_session'
      return {
        kind: credential.kind,
        id: credential.actor,
        tenant: credential.tenantId ?? null,
        role: isSession ? null : credential.role,
        capabilities: isSession ? [...credential.capabilities] : null,
        permissions: permissionsOf(credential),
        on_behalf_of: credential.onBehalfOf,
        theme: isSession ? credential.theme : null,
        expires_at: credential.expiresAt?.toISOString() ?? null,
      }
    },
  )
}
