import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import {
  ApiKeyPage,
  CreateApiKey,
  CreatedApiKey,
  PageQuery,
  PathId,
  Problem,
  parseTime,
  reference,
} from '@posthorn/contract'
import { createApiKey, listApiKeys, revokeApiKey } from '@posthorn/engine'
import { Type } from 'typebox'
import { wirePage } from '../pages.ts'
import type { RouteParts } from '../parts.ts'
import { pathId } from '../path-id.ts'
import { audited } from '../plugins/audit.ts'
import { refusals } from '../refusals.ts'
import { apiKeyView } from '../views/api-key.ts'

const tags = ['API keys']

export const apiKeyRoutes: FastifyPluginAsyncTypebox<RouteParts> = async (app, parts) => {
  const { db, links } = parts

  app.get(
    '/api-keys',
    {
      config: { permission: 'api-keys:read' },
      schema: {
        operationId: 'listApiKeys',
        summary: 'List API keys, revoked ones included',
        tags,
        querystring: PageQuery,
        response: { 200: reference(ApiKeyPage), ...refusals({ body: false }) },
      },
    },
    async (request, reply) => {
      return wirePage({ request, reply, links }, await listApiKeys(db, request.query), apiKeyView)
    },
  )

  app.post(
    '/api-keys',
    {
      config: { permission: 'api-keys:write', audit: 'api_key_created' },
      schema: {
        operationId: 'createApiKey',
        summary: 'Make an API key',
        description: 'The answer holds the key, this once.',
        tags,
        body: CreateApiKey,
        response: { 201: reference(CreatedApiKey), ...refusals({ body: true }) },
      },
    },
    async ({ body, audit }, reply) => {
      const { name, role, tenant: tenantId = null, permissions = [], expires_at } = body
      const expiresAt = expires_at === undefined ? null : expiryOf(expires_at, parts.world.now())
      const { apiKey, key } = await createApiKey(audited(parts, audit), {
        name,
        role,
        tenantId,
        permissions,
        expiresAt,
      })
      return reply.code(201).send({ ...apiKeyView(apiKey), key })
    },
  )

  app.delete(
    '/api-keys/:id',
    {
      config: { permission: 'api-keys:write', audit: 'api_key_revoked' },
      schema: {
        operationId: 'revokeApiKey',
        summary: 'Revoke an API key, from the next request on',
        tags,
        params: Type.Object({ id: PathId('api_key') }),
        response: { 204: Type.Null(), ...refusals({ body: false }, 'api_key_not_found') },
      },
    },
    async ({ params, audit }, reply) => {
      await revokeApiKey(audited(parts, audit), pathId('api_key', params.id))
      return reply.code(204).send(null)
    },
  )
}

function expiryOf(text: string, nowMs: number): Date {
  const ms = parseTime(text)
  if (ms !== undefined && ms > nowMs) return new Date(ms)
  const detail = ms === undefined ? 'is not a day of the calendar' : 'has passed: nobody could use the key'
  throw new Problem('invalid_request', `expires_at ${detail}.`, { errors: [{ pointer: '/expires_at', detail }] })
}
