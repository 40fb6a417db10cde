/** What an attempt came to that was never sent. */
import type { FailureCode } from '@posthorn/contract'
import type { AttemptOutcome } from '@posthorn/engine'

/** @param totalMs how long we took to find out */
export function unsent(failureCode: FailureCode, failureDetail: string, totalMs = 0): AttemptOutcome {
  return {
    status: null,
    failureCode,
    failureDetail,
    remoteAddress: null,
    responseHeaders: {},
    responseBody: new Uint8Array(),
    responseTruncated: false,
    retryAfterMs: null,
    timings: { dns: null, connect: null, tls: null, firstByte: null, total: totalMs },
  }
}
