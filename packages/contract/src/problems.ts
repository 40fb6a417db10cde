/**
 * Every way in which a request can be refused: one closed list, the body it is answered with (RFC 9457), and the error
 * that carries it. `docs/errors.md` explains each code, and a test holds the two together.
 */
import { type Static, Type } from 'typebox'

/** What each code means to a program: its HTTP status, and a title that never changes between two occurrences. */
export const problems = {
  invalid_json: { status: 400, title: 'The body is not valid JSON' },
  malformed_request: { status: 400, title: 'The request is not well-formed HTTP' },
  unauthenticated: { status: 401, title: 'No valid API key or portal session was given' },
  forbidden: { status: 403, title: 'This API key or portal session may not do that' },
  route_not_found: { status: 404, title: 'There is no such route' },
  tenant_not_found: { status: 404, title: 'There is no such tenant' },
  event_type_not_found: { status: 404, title: 'There is no such event type' },
  event_type_version_not_found: { status: 404, title: 'There is no such version of the event type' },
  subscription_not_found: { status: 404, title: 'There is no such subscription' },
  event_not_found: { status: 404, title: 'There is no such event' },
  delivery_not_found: { status: 404, title: 'There is no such delivery' },
  erasure_not_found: { status: 404, title: 'There is no such erasure' },
  portal_session_not_found: { status: 404, title: 'There is no such portal session' },
  replay_not_found: { status: 404, title: 'There is no such replay' },
  api_key_not_found: { status: 404, title: 'There is no such API key' },
  outbox_event_not_found: { status: 404, title: 'There is no such event in the outbox' },
  method_not_allowed: { status: 405, title: 'This route does not know that method' },
  request_timeout: { status: 408, title: 'The request did not arrive in time' },
  delivery_state_conflict: { status: 409, title: 'The delivery is in a state that does not allow this' },
  outbox_event_waiting: { status: 409, title: 'This event in the outbox was not refused' },
  replay_expired: { status: 409, title: 'The draft of the replay has expired' },
  replay_state_conflict: { status: 409, title: 'The replay is in a state that does not allow this' },
  idempotency_key_in_use: { status: 409, title: 'A request with this idempotency key is still under way' },
  idempotency_outcome_unknown: { status: 409, title: 'Nobody knows how the request with this idempotency key ended' },
  content_erased: { status: 409, title: 'The content of the event was erased' },
  subscription_not_active: { status: 409, title: 'The subscription is paused or disabled' },
  event_type_name_taken: { status: 409, title: 'Another event type has this name in other letters' },
  subscription_test_running: { status: 409, title: 'A test of this subscription is under way' },
  precondition_failed: { status: 412, title: 'Somebody else has changed it meanwhile' },
  body_too_large: { status: 413, title: 'The body is too large' },
  unsupported_media_type: { status: 415, title: 'The body is not application/json' },
  invalid_request: { status: 422, title: 'The request does not have the expected form' },
  invalid_url: { status: 422, title: 'This callback URL cannot be used' },
  invalid_header: { status: 422, title: 'This header cannot be set' },
  invalid_secret: { status: 422, title: 'This is not a usable signing secret' },
  invalid_schema: { status: 422, title: 'This JSON Schema cannot be used' },
  invalid_filter: { status: 422, title: 'This filter cannot be used' },
  invalid_transform: { status: 422, title: 'This transform cannot be used' },
  payload_invalid: { status: 422, title: 'The data does not fit the schema of its event type' },
  event_type_reserved: { status: 422, title: 'Event types of this name belong to Posthorn itself' },
  idempotency_key_reused: { status: 422, title: 'This idempotency key was used for another request' },
  limit_reached: { status: 422, title: 'There is no room for another one' },
  rate_limited: { status: 429, title: 'Too many requests in this time' },
  headers_too_large: { status: 431, title: 'The headers are too large' },
  internal_error: { status: 500, title: 'We made a mistake' },
  overloaded: { status: 503, title: 'Too many requests are waiting' },
  database_unavailable: { status: 503, title: 'The database does not answer' },
  no_dispatcher: { status: 503, title: 'No dispatcher is there to send it' },
  outcome_unknown: { status: 504, title: 'It may have been sent, and nobody can tell what came of it' },
  not_ready: { status: 503, title: 'This process cannot serve requests now' },
} as const satisfies Record<string, { status: number; title: string }>

export type ProblemCode = keyof typeof problems

/**
 * One place in a request that is wrong: a JSON Pointer (RFC 6901) into the body, `?name` for a query parameter, or `{name}`
 * for a part of the path, as the OpenAPI document names it.
 */
export const ProblemPlace = Type.Object({ pointer: Type.String(), detail: Type.String() })
export type ProblemPlace = Static<typeof ProblemPlace>

/** The body of every 4xx and 5xx answer, `application/problem+json`. */
export const ProblemBody = Type.Object(
  {
    type: Type.String({ description: 'Where this code is explained' }),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String({ description: 'What went wrong this time, and how to mend it' }),
    code: Type.String({ enum: Object.keys(problems) }),
    request_id: Type.String(),
    errors: Type.Optional(Type.Array(ProblemPlace)),
  },
  { $id: 'Problem', title: 'Problem', description: 'RFC 9457 problem details' },
)
export type ProblemBody = Static<typeof ProblemBody>

export type ProblemOptions = {
  /** A status other than the code's own: an event type that is missing from a *body* is 422, from a path 404. */
  status?: 404 | 422
  errors?: readonly ProblemPlace[]
  /** Seconds for the `Retry-After` header. */
  retryAfterSeconds?: number
  cause?: unknown
}

/** A refusal on its way to the caller. Thrown by rules and routes, rendered in one place. */
export class Problem extends Error {
  override readonly name = 'Problem'
  readonly code: ProblemCode
  readonly status: number
  readonly errors: readonly ProblemPlace[]
  readonly retryAfterSeconds: number | undefined

  constructor(code: ProblemCode, detail: string, options: ProblemOptions = {}) {
    super(detail, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.status = options.status ?? problems[code].status
    this.errors = options.errors ?? []
    this.retryAfterSeconds = options.retryAfterSeconds
  }
}

/** Renders a problem as its body. */
export function problemBody(problem: Problem, where: { requestId: string; docsUrl: string }): ProblemBody {
  return {
    type: `${where.docsUrl}#${problem.code}`,
    title: problems[problem.code].title,
    status: problem.status,
    detail: problem.message,
    code: problem.code,
    request_id: where.requestId,
    ...(problem.errors.length > 0 ? { errors: [...problem.errors] } : {}),
  }
}
