/**
 * Where a request does not have its form, in the words of requests: body members by JSON Pointers, query parameters as
 * `?name`, and for what is unknown where it may have been meant to go.
 */
import { Problem, type ProblemPlace } from '@posthorn/contract'
import { type FormError, placesOf } from '@posthorn/json-schema'

/** Places of a refusal named in one sentence; all are in `errors`. */
const placesInDetail = 3

/** What of a request is judged; an `event` is one of several in a body. */
export type RequestPart = 'body' | 'query' | 'event'

/** The schemas of a route, of which each part of a request is held to one. */
export type RouteSchemas = { readonly body?: unknown; readonly querystring?: unknown }

/** The places where a request does not have its form, from the framework's validator. */
export function invalidRequest(part: RequestPart, errors: readonly FormError[], schemas: RouteSchemas = {}): Problem {
  const found = placesOf(errors).map((place) => hinted(place, part, schemas))
  const places = part === 'query' ? once(found.map(inQuery)) : found
  const told = places.slice(0, placesInDetail).map(({ pointer, detail }) => `${pointer || `the ${part}`} ${detail}`)
  return new Problem('invalid_request', `${told.join('; ')}.`, { errors: places })
}

const missing = /^must have required property '(?<name>.+)'$/s
const place = /^\/(?<name>[^/]*)(?:\/(?<index>\d+))?/

/** A parameter that may be repeated is a list to the schema, but not to who has written it once. */
function inQuery({ pointer, detail }: ProblemPlace): ProblemPlace {
  const lacking = missing.exec(detail)?.groups?.['name']
  if (pointer === '' && lacking !== undefined) return { pointer: `?${lacking}`, detail: 'is missing' }
  const { name, index = '0' } = place.exec(pointer)?.groups ?? {}
  if (name === undefined) return { pointer, detail }
  const value = Number(index) + 1
  const unescaped = name.replaceAll('~1', '/').replaceAll('~0', '~')
  return { pointer: `?${unescaped}`, detail: value === 1 ? detail : `value ${value} ${detail}` }
}

function once(places: readonly ProblemPlace[]): ProblemPlace[] {
  return [...new Map(places.map((one) => [`${one.pointer} ${one.detail}`, one])).values()]
}

/** Says of a name that is unknown here where it is known. */
function hinted({ pointer, detail }: ProblemPlace, part: RequestPart, schemas: RouteSchemas): ProblemPlace {
  const name = /^\/([^/]+)$/.exec(pointer)?.[1]
  if (name === undefined || detail !== 'is not known here') return { pointer, detail }
  const said = (hint: string) => ({ pointer, detail: `${detail}; ${hint}` })
  if (part === 'body' && has(schemas.querystring, name)) return said(`it is a query parameter: ?${name}=`)
  if (part === 'query' && has(schemas.body, name)) return said('it is a member of the body')
  if (part === 'query' && /^keys?(\.|$)/.test(name) && takesKeys(schemas.querystring)) {
    const key = /^keys?\.(.+)$/.exec(name)?.[1] ?? '<name>'
    return said(`business keys are asked for as key.${key}=<value>`)
  }
  return { pointer, detail }
}

function has(schema: unknown, name: string): boolean {
  return Object.hasOwn(Object(Object(schema).properties), name)
}

function takesKeys(schema: unknown): boolean {
  return Object.keys(Object(Object(schema).patternProperties)).some((pattern) => new RegExp(pattern, 'u').test('key.a'))
}
