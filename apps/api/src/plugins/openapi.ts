/**
 * The OpenAPI 3.1 document, made from the schemas by which requests are validated and answers written.
 */
import swagger from '@fastify/swagger'
import { businessKeyParameter, namedSchemas } from '@posthorn/contract'
import { version } from '@posthorn/engine'
import type { FastifySchema } from 'fastify'
import fp from 'fastify-plugin'
import { type Components, exampleOf } from './openapi-examples.ts'
import { systemEventPaths } from './openapi-system-events.ts'

export const tags = [
  { name: 'Tenants', description: 'Your customers, under your own ids' },
  { name: 'Event types', description: 'Kinds of events and their schemas' },
  { name: 'Subscriptions', description: 'Callback URLs and the event types they want' },
  { name: 'Events', description: 'Publishing, and what was published' },
  { name: 'Deliveries', description: 'One event on its way to one subscription' },
  { name: 'Replays', description: 'Many deliveries sent once more' },
  { name: 'Outbox', description: 'What backends wrote in their own transactions, until it is published' },
  { name: 'Search', description: 'What an id, a business key or a trace is' },
  { name: 'Metrics', description: 'How much was delivered, how fast, and why not' },
  { name: 'API keys', description: 'Credentials of this API' },
  { name: 'Erasures', description: 'Taking away what events hold' },
  { name: 'Audit', description: 'Who did what, and why' },
  { name: 'Portal sessions', description: 'Credentials for a customer’s browser, of one tenant and for a while' },
  { name: 'Health', description: 'Whether this process lives and can work' },
  { name: 'System events', description: "What Posthorn sends to the operator's own tenant" },
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
      return reply.type('application/json; charset=utf-8').send(JSON.stringify(completed(app.swagger())))
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

type Media = { schema?: unknown; example?: unknown; examples?: unknown }
type Operation = {
  requestBody?: { content?: Record<string, Media> }
  responses?: Record<string, { content?: Record<string, Media> }>
}

/** The document with an example of each request and of each answer, and with what we send by ourselves. */
function completed(document: object): object {
  // Made by the plugin above; its own types are unions of all versions of OpenAPI.
  const { paths = {}, components = {} } = document as {
    paths?: Record<string, Record<string, Operation>>
    components?: { schemas?: Components }
  }
  const schemas = components.schemas ?? {}
  const show = (content: Record<string, Media> | undefined, whole: boolean) => {
    for (const media of Object.values(content ?? {})) {
      if (media.schema !== undefined && media.examples === undefined)
        media.example ??= exampleOf(media.schema, schemas, whole)
    }
  }
  for (const operation of Object.values(paths).flatMap((item) => Object.values(item))) {
    show(operation.requestBody?.content, false)
    for (const [status, response] of Object.entries(operation.responses ?? {})) {
      // What is refused is explained by its codes.
      if (status.startsWith('2')) show(response.content, true)
    }
  }
  return { ...document, webhooks: systemEventPaths() }
}

function nameOf(json: { $id?: unknown }, index: number): string {
  return typeof json.$id === 'string' ? json.$id : `Schema${index}`
}
