import {
  type FailedClause,
  formatId,
  limits,
  type DryRun as WireDryRun,
  type DryRunMatch as WireDryRunMatch,
  type EventMatch as WireEventMatch,
  type FilterCheck as WireFilterCheck,
} from '@posthorn/contract'
import { type DryRun, type DryRunMatch, type EventMatch, heldReason, type Verdict } from '@posthorn/engine'

/** Every attempt is a POST (Standard Webhooks 1.0). */
const method = 'POST'

/** @param payloads whether the reader may see what events hold */
export function eventMatchView(match: EventMatch, payloads: boolean): WireEventMatch {
  return {
    subscription_id: formatId('subscription', match.subscriptionId),
    // The column's CHECK is held to the list of states by a test.
    state: match.state as WireEventMatch['state'],
    ...verdictView(match, payloads),
    reason: match.reason,
    delivery_id: match.deliveryId === null ? null : formatId('delivery', match.deliveryId),
  }
}

/** Whoever asks has brought the event along. */
export function filterCheckView(verdict: Verdict): WireFilterCheck {
  return { ...verdictView(verdict, true), reason: verdict.reason }
}

export function dryRunView({ duplicate, validationErrors, matches }: DryRun): WireDryRun {
  let bodiesBytes = 0
  function requestView({ request }: DryRunMatch): WireDryRunMatch['request'] {
    if (request === null) return null
    const { url, headers, body } = request
    const bytes = Buffer.byteLength(body)
    const fits = bodiesBytes + bytes <= limits.dryRunBodiesBytesMax
    if (fits) bodiesBytes += bytes
    return { method, url, headers, body: fits ? body : null, body_bytes: bytes }
  }
  return {
    dry_run: true,
    duplicate,
    validation_errors: [...validationErrors],
    data: matches.map((match) => ({
      subscription_id: formatId('subscription', match.subscriptionId),
      state: match.state as WireDryRunMatch['state'], // as above
      ...verdictView(match, true),
      reason: match.reason ?? heldReason(match.state),
      request: requestView(match),
    })),
  }
}

function verdictView(
  { matched, failed, unfinished }: Pick<Verdict, 'matched' | 'failed' | 'unfinished'>,
  payloads: boolean,
) {
  const failedClause: FailedClause | null = failed && { ...failed, found: payloads ? failed.found : null }
  return { matched, failed_clause: failedClause, filter_unfinished: unfinished }
}
