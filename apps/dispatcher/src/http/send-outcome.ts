/** What came of one request, whatever the receiver did. */
import type { FailureCode } from '@posthorn/contract'

/** Durations in milliseconds, to one decimal. The first three are `null` when the request went over a kept connection. */
export type Timings = {
  /** Resolving the host; `null` too when the URL has an address. */
  readonly dns: number | null
  readonly connect: number | null
  readonly tls: number | null
  /** From the request written to the first byte of the answer. */
  readonly firstByte: number | null
  /** Everything, from the call of `send`. */
  readonly total: number
}

export type SendOutcome = {
  /** `null` when no complete head of an answer arrived. */
  readonly status: number | null
  /** `null` exactly when the status is 2xx. */
  readonly failureCode: FailureCode | null
  /** One plain sentence for the receiver's developer. */
  readonly failureDetail: string | null
  readonly remoteAddress: string | null
  /** Lower-case names, repeated headers joined; at most 32, of at most 4 KiB each, and no cookies. */
  readonly responseHeaders: Readonly<Record<string, string>>
  /** The raw bytes, at most 16 KiB. */
  readonly responseBody: Uint8Array
  /** Whether the answer's body was longer, or did not arrive as a whole. */
  readonly responseTruncated: boolean
  /** `Retry-After` as received. */
  readonly retryAfter: string | null
  readonly timings: Timings
}

/** The outcome of an attempt that was ended before anything was sent. */
export function unsent(failure: { readonly code: FailureCode; readonly detail: string }): SendOutcome {
  return {
    status: null,
    failureCode: failure.code,
    failureDetail: failure.detail,
    remoteAddress: null,
    responseHeaders: {},
    responseBody: new Uint8Array(0),
    responseTruncated: false,
    retryAfter: null,
    timings: { dns: null, connect: null, tls: null, firstByte: null, total: 0 },
  }
}
