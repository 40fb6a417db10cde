/** What was sent for a test, and what was answered, as far as a reader may see it. */
import type { TestOutcome } from '@posthorn/engine'
import type { Links } from '../parts.ts'
import type { Reader } from '../reader.ts'
import { requestHeadersView, responseHeadersView } from './headers.ts'

export function sentView({ requestHeaders, requestBody }: TestOutcome, reader: Reader) {
  return {
    headers: requestHeadersView(requestHeaders, reader, new Set()),
    body: reader.payloads ? requestBody : null,
  }
}

export function answeredView(
  { status, responseHeaders, responseBody, responseTruncated, failureCode, failureDetail }: TestOutcome,
  reader: Reader,
  links: Links,
) {
  return {
    response:
      status === null
        ? null
        : {
            status,
            headers: responseHeadersView(responseHeaders, reader),
            body: reader.payloads ? Buffer.from(responseBody, 'base64').toString('utf8') : null,
            truncated: responseTruncated,
          },
    failure_code: failureCode,
    failure_detail: failureDetail,
    explained_at: failureCode && `${links.errorsUrl}#${failureCode}`,
  }
}
