/**
 * Gives query parameters the types of their schema before they are validated: the validator itself never converts, so a
 * body's `"5"` is not a number. Every route refuses parameters that it does not know.
 */
import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { Type } from 'typebox'

const noParameters = Type.Object({}, { additionalProperties: false })

export const query = fp(
  async (app) => {
    const known = new WeakMap<object, Parameters>()
    app.addHook('onRoute', (route) => {
      route.schema = { ...route.schema, querystring: route.schema?.querystring ?? noParameters }
    })
    app.addHook('preValidation', async (request) => {
      const schema = Object(request.routeOptions.schema?.querystring)
      const parameters = known.get(schema) ?? parametersOf(schema)
      known.set(schema, parameters)
      request.query = typed(new Map(Object.entries(Object(request.query))), parameters)
    })
  },
  { name: 'query' },
)

/** Whether a request only asks what it would do: nothing is changed, kept or written down. */
export function isDryRun({ query }: Pick<FastifyRequest, 'query'>): boolean {
  return Object(query).dry_run === '1'
}

type Parameters = (name: string) => { type?: unknown } | undefined

/** Parameters by their names, and those whose names only have a form. */
function parametersOf(schema: unknown): Parameters {
  const named = new Map(Object.entries(memberOf(schema, 'properties')))
  const formed = Object.entries(memberOf(schema, 'patternProperties')).map(
    ([pattern, parameter]) => [new RegExp(pattern, 'u'), parameter] as const,
  )
  return (name) => named.get(name) ?? formed.find(([pattern]) => pattern.test(name))?.[1]
}

function memberOf(schema: unknown, name: string): Record<string, { type?: unknown }> {
  return Object(new Map(Object.entries(Object(schema))).get(name))
}

function typed(given: Map<string, unknown>, parameters: Parameters): Record<string, unknown> {
  return Object.fromEntries([...given].map(([name, value]) => [name, converted(value, parameters(name)?.type)]))
}

/** What cannot be converted stays as it is, and the validator says what is wrong with it. */
function converted(value: unknown, type: unknown): unknown {
  if (type === 'array' && typeof value === 'string') return [value]
  if (type === 'integer' && typeof value === 'string' && /^-?\d{1,15}$/.test(value)) return Number(value)
  return value
}
