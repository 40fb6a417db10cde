/**
 * What can go wrong in a call, told by one code: those of the API, as its document lists them, and four of our own for
 * calls that got no such answer.
 */
import type { Problem } from './generated/types.gen.ts'

/** The code of a refusal by the API. Each is explained in its document `docs/errors.md`. */
export type ProblemCode = Problem['code']

/** The code of a call that the API did not refuse, and that did not succeed either. */
export type CallCode =
  /** No connection, or it broke before the answer was read. */
  | 'connection_failed'
  /** There was no answer in time. */
  | 'timed_out'
  /** Something answered that is not Posthorn's API, or not this part of it. */
  | 'unexpected_answer'
  /** What was given can never be sent. */
  | 'invalid_argument'

export type ErrorCode = ProblemCode | CallCode

/** One place in a request that is wrong: a JSON Pointer (RFC 6901) into the body, or `?name` for a query parameter. */
export type ErrorPlace = { readonly pointer: string; readonly detail: string }

export type ErrorFacts = {
  readonly status?: number | undefined
  readonly requestId?: string | undefined
  readonly errors?: readonly ErrorPlace[] | undefined
  /** How many requests were made. */
  readonly requests?: number
  readonly retryAfterSeconds?: number | undefined
  readonly cause?: unknown
}

/** Why a call failed. Look at `code`; everything else is for people and logs, and none of it holds the API key. */
export class PosthornError<Code extends ErrorCode = ErrorCode> extends Error {
  override readonly name = 'PosthornError'
  readonly code: Code
  /** What went wrong this time, and how to mend it. */
  readonly detail: string
  /** Of the answer; undefined when there was none. */
  readonly status: number | undefined
  /** By which the operator finds the request in the log. */
  readonly requestId: string | undefined
  /** Where the request is wrong. */
  readonly errors: readonly ErrorPlace[]
  /** How many requests were made, retries included. */
  readonly requests: number
  /** After which the API asks to come back. */
  readonly retryAfterSeconds: number | undefined

  constructor(code: Code, detail: string, facts: ErrorFacts = {}) {
    super(messageOf(code, detail, facts), facts.cause === undefined ? undefined : { cause: facts.cause })
    this.code = code
    this.detail = detail
    this.status = facts.status
    this.requestId = facts.requestId
    this.errors = facts.errors ?? []
    this.requests = facts.requests ?? 0
    this.retryAfterSeconds = facts.retryAfterSeconds
  }
}

/**
 * Whether something that was thrown is ours, and of one of these codes if any are named.
 *
 * @example if (isPosthornError(error, 'tenant_not_found')) …
 */
export function isPosthornError<Code extends ErrorCode = ErrorCode>(
  error: unknown,
  ...codes: readonly Code[]
): error is PosthornError<Code> {
  return error instanceof PosthornError && (codes.length === 0 || codes.some((code) => code === error.code))
}

function messageOf(code: string, detail: string, { status, requestId, errors = [] }: ErrorFacts): string {
  const facts = [code, status, requestId].filter((fact) => fact !== undefined)
  const places = errors.map((place) => `\n  ${place.pointer} ${place.detail}`)
  return `${detail} (${facts.join(', ')})${places.join('')}`
}
