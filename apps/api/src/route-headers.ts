/** The request headers that a route declares, for its OpenAPI description. */
import type { RouteOptions } from 'fastify'
import { type TObject, Type } from 'typebox'

/** Declares headers of a route beside those that it has already: several plugins have a say. */
export function declareHeaders(route: RouteOptions, { properties }: TObject): void {
  const declared = Object(Object(route.schema?.headers).properties)
  route.schema = { ...route.schema, headers: Type.Object({ ...declared, ...properties }) }
}
