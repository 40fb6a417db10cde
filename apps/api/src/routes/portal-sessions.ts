/** Portal sessions: one call of the operator's backend, and its customer's browser may see the portal. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import {
  CreatedPortalSession,
  CreatePortalSession,
  limits,
  PageQuery,
  PathId,
  type PortalCapability,
  PortalSession,
  PortalSessionPage,
  Problem,
  reference,
} from '@posthorn/contract'
import {
  type Credential,
  createPortalSession,
  getPortalSession,
  listPortalSessions,
  revokePortalSession,
} from '@posthorn/engine'
import { Type } from 'typebox'
import { wirePage } from '../pages.ts'
import type { RouteParts } from '../parts.ts'
import { pathId } from '../path-id.ts'
import { capabilities, may, nameOf } from '../permissions.ts'
import { audited } from '../plugins/audit.ts'
import { refusals } from '../refusals.ts'
import { portalSessionView } from '../views/portal-session.ts'

const tags = ['Portal sessions']
const ofTenant = Type.Object({ id: Type.String({ description: "The tenant's id", examples: ['acme'] }) })
const params = Type.Object({ id: PathId('portal_session') })

export const portalSessionRoutes: FastifyPluginAsyncTypebox<RouteParts> = async (app, parts) => {
  const { db, links } = parts

  app.post(
    '/tenants/:id/portal-sessions',
    {
      config: { permission: 'portal-sessions:write', audit: 'portal_session_created' },
      schema: {
        operationId: 'createPortalSession',
        summary: 'Give a customer access to the portal',
        description: `Send the customer to \`url\`, or put it into a frame. The session is of this tenant alone, may do what its capabilities say, and ends after \`ttl_seconds\` (${limits.portalSessionSecondsMin} to ${limits.portalSessionSecondsMax}), or earlier with the API key that it was made with. Nobody can give a capability that their own key does not have: a key of the role \`support\` makes sessions that see what it sees.`,
        tags,
        params: ofTenant,
        body: CreatePortalSession,
        response: { 201: reference(CreatedPortalSession), ...refusals({ body: true }, 'tenant_not_found') },
      },
    },
    async ({ params, body, credential, audit }, reply) => {
      const by = giverOf(credential, body.capabilities)
      const draft = {
        capabilities: body.capabilities,
        ttlSeconds: body.ttl_seconds ?? limits.portalSessionSecondsDefault,
        theme: body.theme ?? {},
        onBehalfOf: body.on_behalf_of ?? null,
      }
      const { session, token } = await createPortalSession(audited(parts, audit), params.id, draft, by)
      const url = `${links.publicUrl}/portal#token=${token}`
      // It holds a credential; no cache may keep it.
      reply.header('cache-control', 'no-store')
      return reply.code(201).send({ ...portalSessionView(session), url, token })
    },
  )

  app.get(
    '/tenants/:id/portal-sessions',
    {
      config: { permission: 'portal-sessions:read' },
      schema: {
        operationId: 'listPortalSessions',
        summary: 'List the portal sessions of a tenant, expired and revoked ones too while they are kept',
        tags,
        params: ofTenant,
        querystring: PageQuery,
        response: { 200: reference(PortalSessionPage), ...refusals({ body: false }, 'tenant_not_found') },
      },
    },
    async (request, reply) => {
      const { params, query, credential } = request
      const page = await listPortalSessions(db, params.id, credential.tenantId, query)
      return wirePage({ request, reply, links }, page, portalSessionView)
    },
  )

  app.get(
    '/portal-sessions/:id',
    {
      config: { permission: 'portal-sessions:read' },
      schema: {
        operationId: 'getPortalSession',
        summary: 'Read a portal session',
        tags,
        params,
        response: { 200: reference(PortalSession), ...refusals({ body: false }, 'portal_session_not_found') },
      },
    },
    async ({ params, credential }) =>
      portalSessionView(await getPortalSession(db, pathId('portal_session', params.id), credential.tenantId)),
  )

  app.delete(
    '/portal-sessions/:id',
    {
      config: { permission: 'portal-sessions:write', audit: 'portal_session_revoked' },
      schema: {
        operationId: 'revokePortalSession',
        summary: 'Revoke a portal session, from the next request on',
        tags,
        params,
        response: { 204: Type.Null(), ...refusals({ body: false }, 'portal_session_not_found') },
      },
    },
    async ({ params, credential, audit }, reply) => {
      await revokePortalSession(audited(parts, audit), pathId('portal_session', params.id), credential.tenantId)
      return reply.code(204).send(null)
    },
  )
}

/**
 * The API key that gives these capabilities.
 *
 * @throws Problem `forbidden` when it would give more than it has
 */
function giverOf(credential: Credential, given: readonly PortalCapability[]) {
  // Sessions make no sessions: no capability stands for that permission.
  if (credential.kind !== 'api_key') throw new Problem('forbidden', `${nameOf(credential)} cannot make another one.`)
  const beyond = given.filter((one) => !capabilities[one].every((permission) => may(credential, permission)))
  if (beyond.length === 0) return credential
  throw new Problem('forbidden', `${nameOf(credential)} cannot give what it may not do itself: ${beyond.join(', ')}.`)
}
