import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { PageQuery, PutTenant, reference, Tenant, TenantPage } from '@posthorn/contract'
import { deleteTenant, getTenant, listTenants, putTenant } from '@posthorn/engine'
import { Type } from 'typebox'
import { wirePage } from '../pages.ts'
import type { RouteParts } from '../parts.ts'
import { audited } from '../plugins/audit.ts'
import { precondition, tagged } from '../plugins/etags.ts'
import { refusals } from '../refusals.ts'
import { tenantView } from '../views/tenant.ts'

const tags = ['Tenants']
const params = Type.Object({ id: Type.String({ description: 'Your own id for the customer', examples: ['acme'] }) })

export const tenantRoutes: FastifyPluginAsyncTypebox<RouteParts> = async (app, { db, links }) => {
  app.put(
    '/tenants/:id',
    {
      config: { permission: 'tenants:write', audit: 'tenant_put' },
      schema: {
        operationId: 'putTenant',
        summary: 'Make a tenant known, or replace what is known of it',
        tags,
        params,
        body: PutTenant,
        response: {
          200: reference(Tenant),
          201: reference(Tenant),
          ...refusals({ body: true }, 'precondition_failed'),
        },
      },
    },
    async (request, reply) => {
      const { params, body } = request
      const { name = null, metadata = {}, contacts = [], retention_days: retentionDays = null } = body
      const expected = precondition(request, tenantView)
      const { tenant, created } = await putTenant(
        audited({ db }, request.audit).db,
        params.id,
        { name, metadata, contacts, retentionDays },
        expected,
      )
      return reply.code(created ? 201 : 200).send(tagged(reply, tenantView(tenant)))
    },
  )

  app.get(
    '/tenants/:id',
    {
      config: { permission: 'tenants:read' },
      schema: {
        operationId: 'getTenant',
        summary: 'Read a tenant',
        tags,
        params,
        response: { 200: reference(Tenant), ...refusals({ body: false }, 'tenant_not_found') },
      },
    },
    async ({ params, credential }, reply) =>
      tagged(reply, tenantView(await getTenant(db, params.id, credential.tenantId))),
  )

  app.delete(
    '/tenants/:id',
    {
      config: { permission: 'tenants:write', audit: 'tenant_deleted' },
      schema: {
        operationId: 'deleteTenant',
        summary: 'Forget a tenant',
        description:
          'Its subscriptions, secrets and keys go, and what was still to be delivered is canceled. Events and attempts stay until their retention ends: a tenant that is made known again under the same id has them, and what is published under an `id` that it had published before is a duplicate.',
        tags,
        params,
        response: { 204: Type.Null(), ...refusals({ body: false }, 'tenant_not_found') },
      },
    },
    async ({ params, audit }, reply) => {
      await deleteTenant(audited({ db }, audit).db, params.id)
      return reply.code(204).send(null)
    },
  )

  app.get(
    '/tenants',
    {
      config: { permission: 'tenants:read' },
      schema: {
        operationId: 'listTenants',
        summary: 'List tenants',
        tags,
        querystring: PageQuery,
        response: { 200: reference(TenantPage), ...refusals({ body: false }) },
      },
    },
    async (request, reply) => {
      const page = await listTenants(db, request.credential.tenantId, request.query)
      return wirePage({ request, reply, links }, page, tenantView)
    },
  )
}
