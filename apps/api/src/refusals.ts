/** The refusals that a route declares, for its OpenAPI description. */
import { type ProblemCode, ProblemSchema, problems, reference } from '@posthorn/contract'

/** Every protected route may answer with these. */
const always: readonly ProblemCode[] = ['unauthenticated', 'forbidden', 'invalid_request', 'rate_limited']
/** Every route with a body may. */
const withBody: readonly ProblemCode[] = ['invalid_json', 'body_too_large', 'unsupported_media_type']

/**
 * Declares problem codes, by their statuses. What belongs to no route (5xx, and what is not even HTTP) is `default`.
 *
 * @param options.body whether the route reads a body
 */
export function refusals(options: { body: boolean }, ...codes: ProblemCode[]): object {
  const all = [...always, ...(options.body ? withBody : []), ...codes]
  const byStatus = Map.groupBy(all, (code) => problems[code].status)
  const declared = [...byStatus].map(([status, of]) => [status, answer(of)] as const)
  return { ...Object.fromEntries(declared), default: answer(['internal_error', 'overloaded', 'database_unavailable']) }
}

/** The declared answers of a route with more problem codes among them. */
export function withRefusals(responses: unknown, ...codes: ProblemCode[]): object {
  const declared: Record<string, unknown> = { ...Object(responses) }
  for (const [status, of] of Map.groupBy(codes, (code) => problems[code].status)) {
    const more = answer(of)
    const { description } = Object(declared[status])
    declared[status] =
      typeof description === 'string' ? { ...more, description: `${description}. ${more.description}` } : more
  }
  return declared
}

function answer(codes: readonly ProblemCode[]) {
  return {
    description: codes.map((code) => `\`${code}\`: ${problems[code].title}`).join('. '),
    content: { 'application/problem+json': { schema: reference(ProblemSchema) } },
  }
}
