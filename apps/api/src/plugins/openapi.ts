/**
 * The OpenAPI 3.1 document, made from the schemas by which requests are validated and answers written.
 */
import swagger from '@fastify/swagger'
import { businessKeyParameter, namedSchemas } from '@posthorn/contract'
import { version } from '@posthorn/engine'
import type { FastifySchema } from 'fastify'
import fp from 'fastify-plugin'

export const tags = [
  { name: 'Tenants', description: 'Your customers, under your own ids' },
  { name: 'Event types', description: 'Kinds of events and their schemas' },
  { name: 'Subscriptions', description: 'Callback URLs and the event types they want' },
  { name: 'Events', description: 'Publishing, and what was published' },
  { name: 'Deliveries', description: 'One event on its way to one subscription' },
  { name: 'Replays', description: 'Many deliveries sent once more' },
  { name: 'API keys', description: 'Credentials of this API' },
  { name: 'Erasures', description: 'Taking away what events hold' },
  { name: 'Audit', description: 'Who did what, and why' },
  { name: 'Portal sessions', description: 'Credentials for a customer’s browser, of one tenant and for a while' },
  { name: 'Health', description: 'Whether this process lives and can work' },
] as const
export type Tag = (typeof tags)[number]['name']

export const openapi = fp(
  async (app) => {
    for (const schema of namedSchemas) app.addSchema(schema)
    await app.register(swagger, {
      openapi: {
        openapi: '3.1.1',
        info: {
          title: 'Posthorn',
          version,
          description: 'Webhook delivery, sender side: publish events, and Posthorn brings them to their receivers.',
          license: { name: 'MIT', identifier: 'MIT' },
        },
        servers: [{ url: '/' }],
        tags: tags.map((tag) => ({ ...tag })),
        components: {
          securitySchemes: {
            apiKey: {
              type: 'http',
              scheme: 'bearer',
              description: 'An API key, `phk_…`, or the token of a portal session, `phs_…`',
            },
          },
        },
        security: [{ apiKey: [] }],
      },
      transform: ({ schema, url }) => ({ schema: withKeyParameter(schema), url }),
      refResolver: { buildLocalReference: (json, _base, _fragment, index) => nameOf(json, index) },
    })
    app.get('/openapi.json', { schema: { hide: true } }, async (_request, reply) => {
      return reply.type('application/json; charset=utf-8').send(JSON.stringify(app.swagger()))
    })
  },
  { name: 'openapi' },
)

/** Parameters whose names only have a form are no properties, of which parameters are made. */
function withKeyParameter(schema: FastifySchema): FastifySchema {
  const query = schema?.querystring
  if (query === null || typeof query !== 'object' || !('patternProperties' in query) || !('properties' in query)) {
    return schema
  }
  const { name, schema: shown } = businessKeyParameter
  return { ...schema, querystring: { ...query, properties: { ...Object(query.properties), [name]: shown } } }
}

function nameOf(json: { $id?: unknown }, index: number): string {
  return typeof json.$id === 'string' ? json.$id : `Schema${index}`
}
