/**
 * Gives query parameters the types of their schema before they are validated: the validator itself never converts, so a
 * body's `"5"` is not a number. Every route refuses parameters that it does not know.
 */
import fp from 'fastify-plugin'
import { Type } from 'typebox'

const noParameters = Type.Object({}, { additionalProperties: false })

export const query = fp(
  async (app) => {
    app.addHook('onRoute', (route) => {
      route.schema = { ...route.schema, querystring: route.schema?.querystring ?? noParameters }
    })
    app.addHook('preValidation', async (request) => {
      const schema: unknown = request.routeOptions.schema?.querystring
      request.query = typed(new Map(Object.entries(Object(request.query))), propertiesOf(schema))
    })
  },
  { name: 'query' },
)

function propertiesOf(schema: unknown): Map<string, { type?: unknown }> {
  const properties: unknown =
    schema !== null && typeof schema === 'object' && 'properties' in schema && schema.properties
  return new Map(Object.entries(Object(properties)))
}

function typed(given: Map<string, unknown>, properties: Map<string, { type?: unknown }>): Record<string, unknown> {
  return Object.fromEntries([...given].map(([name, value]) => [name, converted(value, properties.get(name)?.type)]))
}

/** What cannot be converted stays as it is, and the validator says what is wrong with it. */
function converted(value: unknown, type: unknown): unknown {
  if (type === 'array' && typeof value === 'string') return [value]
  if (type === 'integer' && typeof value === 'string' && /^-?\d{1,15}$/.test(value)) return Number(value)
  return value
}
