import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { reference, type SearchKind, SearchQuery, SearchResults, searchKinds } from '@posthorn/contract'
import { search } from '@posthorn/engine'
import type { RouteParts } from '../parts.ts'
import { may, type Permission } from '../permissions.ts'
import { refusals } from '../refusals.ts'
import { searchHitView } from '../views/search.ts'

/** What one has to be allowed to read to find it. */
const permissionFor: Readonly<Record<SearchKind, Permission>> = {
  event: 'events:read',
  delivery: 'deliveries:read',
  attempt: 'deliveries:read',
  subscription: 'subscriptions:read',
  replay: 'deliveries:read',
  tenant: 'tenants:read',
  event_type: 'event-types:read',
  api_key: 'api-keys:read',
  idempotency_key: 'events:read',
}

export const searchRoutes: FastifyPluginAsyncTypebox<RouteParts> = async (app, { db }) => {
  app.get(
    '/search',
    {
      config: { permission: 'search:read' },
      schema: {
        operationId: 'search',
        summary: 'Find out what a text is',
        description:
          "The id of an event, a delivery, an attempt, a subscription, a replay or an API key, a publisher's own id, a business key, a trace or an idempotency key: what it names, with the paths where that is read. Found is only what the key may read, of its own tenant. What is not found is an empty list.",
        tags: ['Search'],
        querystring: SearchQuery,
        response: { 200: reference(SearchResults), ...refusals({ body: false }) },
      },
    },
    async ({ query, credential }) => {
      const kinds = new Set(searchKinds.filter((kind) => may(credential, permissionFor[kind])))
      const { found, hasMore } = await search(db, query.q, { within: credential.tenantId, kinds })
      return { data: found.map(searchHitView), has_more: hasMore }
    },
  )
}
