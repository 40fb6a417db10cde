/** What goes into an operation and comes out of it, as the document says, in the form in which it is written in code. */
import type { Operations } from './generated/operations.gen.ts'

export type OperationName = keyof Operations

type Data<Name extends OperationName> = Operations[Name]['data']

/** What the operation answers when all is well. */
export type Output<Name extends OperationName> = Operations[Name]['responses'][keyof Operations[Name]['responses']]

export type Body<Name extends OperationName> =
  Data<Name> extends { body?: infer Given } ? Exclude<Given, undefined> : never

/**
 * The query parameters. Where several are allowed, one may be given without a list; where the wire has them in one text
 * with commas, a list may be given. Business keys are an object: `{ key: { order: 'ord_42' } }`.
 */
export type Query<Name extends OperationName> =
  Data<Name> extends { query?: infer Given } ? WithKeys<OneOrMany<Exclude<Given, undefined>>> : Record<string, never>

/** The document has one parameter `key.*` for every `key.<name>`. */
type WithKeys<Given> = 'key.*' extends keyof Given
  ? Omit<Given, 'key.*'> & { readonly key?: Readonly<Record<string, string | readonly string[]>> }
  : Given

type OneOrMany<Given> = {
  [Key in keyof Given]: Exclude<Given[Key], undefined> extends readonly (infer One)[]
    ? One | readonly One[]
    : Key extends 'expand' | 'measures'
      ? Given[Key] | readonly string[]
      : Given[Key]
}

/** One element of the pages that a list answers. */
export type Listed<Name extends OperationName> = Output<Name> extends { data: (infer One)[] } ? One : never

/** The operations that answer with pages. */
export type ListName = {
  [Name in OperationName]: Output<Name> extends { data: unknown[]; next_cursor: string | null } ? Name : never
}[OperationName]

export type Input = {
  readonly path?: Readonly<Record<string, string | number>> | undefined
  readonly query?: object | undefined
  readonly body?: unknown
}

/** What may be said for one call. */
export type CallOptions = {
  /** Ends the call; it then rejects with the signal's reason. */
  readonly signal?: AbortSignal
  /** For the whole call with its retries, in milliseconds. */
  readonly timeoutMs?: number
  /** How often it is tried again at the most. */
  readonly retries?: number
  /** In place of one made for this call: give your own to make the same call again later without doing it twice. */
  readonly idempotencyKey?: string
  /** An `etag` that was read before: the change is refused with `precondition_failed` if there was another one since. */
  readonly ifMatch?: string
  /** Why, for the audit log: one line, in any language. */
  readonly reason?: string
  /** Sent beside the others, such as `x-request-id` and `traceparent`. */
  readonly headers?: Readonly<Record<string, string>>
}
