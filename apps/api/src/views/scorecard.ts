import { formatId, type Scorecard, type Uuid } from '@posthorn/contract'
import type { JudgedCheck, ReceiverCheckOutcome } from '@posthorn/engine'
import { judgeReceiver } from '@posthorn/engine'
import type { Links } from '../parts.ts'
import type { Reader } from '../reader.ts'
import { answeredView, sentView } from './test-outcome.ts'

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
      body_bytes: outcome.requestBytes,
      ...sentView(outcome, reader),
    },
    ...answeredView(outcome, reader, links),
    total_ms: outcome.totalMs,
  }
}
