/**
 * Every refusal leaves through here, ours and the framework's: RFC 9457 problem details with a code, and nothing of what
 * went wrong inside.
 */
import { limits, Problem, problemBody } from '@posthorn/contract'
import { BatcherFull, isDatabaseUnavailable } from '@posthorn/engine'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { Links } from '../parts.ts'
import { invalidRequest, type RouteSchemas } from './request-places.ts'

export const problemMediaType = 'application/problem+json; charset=utf-8'

/** What a caller is told to wait when the database is away or we are full, in seconds. */
const retryAfterSeconds = 2

export const problems = fp<{ links: Links }>(
  async (app, { links }) => {
    app.setErrorHandler((error, request, reply) => {
      const problem = problemOf(error, request.routeOptions.schema)
      if (problem.status >= 500) logFault(request, problem, error)
      return sendProblem(reply, problem, links)
    })
  },
  { name: 'problems' },
)

/** Answers with a problem. `more` are extension members (RFC 9457 §3.2). */
export function sendProblem(
  reply: FastifyReply,
  problem: Problem,
  links: Links,
  more: Readonly<Record<string, unknown>> = {},
): FastifyReply {
  const body = problemBody(problem, { requestId: reply.request.id, docsUrl: links.errorsUrl })
  reply.code(problem.status).type(problemMediaType)
  if (problem.retryAfterSeconds !== undefined) reply.header('retry-after', problem.retryAfterSeconds)
  // RFC 9110 §11.6.1 asks for it with every 401.
  if (problem.status === 401) reply.header('www-authenticate', 'Bearer realm="posthorn"')
  return reply.send(JSON.stringify({ ...body, ...more }))
}

/**
 * What any error means to the caller.
 *
 * @param schemas those of the route, where it was found
 */
export function problemOf(error: unknown, schemas: RouteSchemas = {}): Problem {
  if (error instanceof Problem) return error
  if (error instanceof BatcherFull) {
    return new Problem('overloaded', 'Too many requests are waiting. Try again in a moment.', {
      retryAfterSeconds,
      cause: error,
    })
  }
  if (isDatabaseUnavailable(error)) {
    return new Problem('database_unavailable', 'The database does not answer. Nothing was changed; try again.', {
      retryAfterSeconds,
      cause: error,
    })
  }
  return (isFastifyError(error) && frameworkProblem(error, schemas)) || ourFault(error)
}

function frameworkProblem(error: FastifyError, schemas: RouteSchemas): Problem | undefined {
  if (error.validation !== undefined) {
    const part = error.validationContext === 'querystring' ? 'query' : 'body'
    return invalidRequest(part, error.validation, schemas)
  }
  switch (error.code) {
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new Problem('unsupported_media_type', 'Send the body as application/json.', { cause: error })
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return bodyTooLarge(error)
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return new Problem('malformed_request', 'The body is not as long as its content-length says.', { cause: error })
    case 'FST_ERR_BAD_URL':
      return new Problem('malformed_request', 'The path is not a valid URL: check its percent-encoding.', {
        cause: error,
      })
    case 'FST_ERR_MAX_PARAM_LENGTH':
      return new Problem('route_not_found', 'A part of the path is too long to be an id.', { cause: error })
    default:
      break
  }
  const status = error.statusCode ?? 500
  return status >= 400 && status < 500
    ? new Problem('malformed_request', 'The request could not be read to its end.', { cause: error })
    : undefined
}

function bodyTooLarge(cause: unknown): Problem {
  return new Problem(
    'body_too_large',
    `The body is too large: at most ${limits.requestBodyBytesMax} bytes, and ${limits.batchBodyBytesMax} for a batch.`,
    { cause },
  )
}

function ourFault(error: unknown): Problem {
  return new Problem('internal_error', 'Something went wrong on our side. The log has it under this request id.', {
    cause: error,
  })
}

function isFastifyError(error: unknown): error is FastifyError {
  return error instanceof Error && ('code' in error || 'statusCode' in error || 'validation' in error)
}

function logFault(request: FastifyRequest, problem: Problem, error: unknown): void {
  const level = problem.code === 'internal_error' ? 'error' : 'warn'
  request.log[level]({ err: problem.cause ?? error, code: problem.code }, 'request refused')
}
