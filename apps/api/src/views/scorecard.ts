import { formatId, type Scorecard, type Uuid } from '@posthorn/contract'
import type { JudgedCheck, ReceiverCheckOutcome } from '@posthorn/engine'
import { judgeReceiver } from '@posthorn/engine'
import type { Links } from '../parts.ts'
import type { Reader } from '../reader.ts'
import { requestHeadersView, responseHeadersView } from './headers.ts'

export function scorecardView(
  subscriptionId: Uuid,
  outcome: ReceiverCheckOutcome,
  reader: Reader,
  links: Links,
): Scorecard {
  const { verdict, total, checks } = judgeReceiver(outcome)
  return {
    subscription_id: formatId('subscription', subscriptionId),
    event_type: outcome.eventType,
    started_at: outcome.startedAt,
    took_ms: Math.round(outcome.tookMs),
    verdict,
    total,
    checks: checks.map((check) => checkView(check, reader, links)),
  }
}

function checkView({ outcome, ...judged }: JudgedCheck, reader: Reader, links: Links): Scorecard['checks'][number] {
  if (outcome === null) {
    const nothing = { request: null, response: null, failure_code: null, failure_detail: null, explained_at: null }
    return { ...judged, ...nothing, total_ms: null }
  }
  return {
    ...judged,
    request: {
      event_id: formatId('event', outcome.eventId),
      event_type: outcome.eventType,
      sent_at: outcome.startedAt,
      headers: requestHeadersView(outcome.requestHeaders, reader, new Set()),
      body_bytes: outcome.requestBytes,
      body: reader.payloads ? outcome.requestBody : null,
    },
    response:
      outcome.status === null
        ? null
        : {
            status: outcome.status,
            headers: responseHeadersView(outcome.responseHeaders, reader),
            body: reader.payloads ? Buffer.from(outcome.responseBody, 'base64').toString('utf8') : null,
            truncated: outcome.responseTruncated,
          },
    failure_code: outcome.failureCode,
    failure_detail: outcome.failureDetail,
    explained_at: outcome.failureCode && `${links.errorsUrl}#${outcome.failureCode}`,
    total_ms: outcome.totalMs,
  }
}
