import {
  type FailedClause,
  formatId,
  limits,
  type DryRun as WireDryRun,
  type DryRunMatch as WireDryRunMatch,
  type EventMatch as WireEventMatch,
  type FilterCheck as WireFilterCheck,
  type TransformPreview as WireTransformPreview,
} from '@posthorn/contract'
import {
  type DryRun,
  type DryRunMatch,
  type EventMatch,
  heldReason,
  type ShownRequest,
  type Verdict,
} from '@posthorn/engine'
import type { Reader } from '../reader.ts'
import { customHeadersView } from './headers.ts'

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

/** Whoever asks has brought the event along. */
export function dryRunView({ duplicate, validationErrors, matches }: DryRun, reader: Reader): WireDryRun {
  let bodiesBytes = 0
  function shown({ request }: DryRunMatch): WireDryRunMatch['request'] {
    if (request === null) return null
    const view = requestView(request, reader)
    const fits = bodiesBytes + view.body_bytes <= limits.dryRunBodiesBytesMax
    if (fits) bodiesBytes += view.body_bytes
    return fits ? view : { ...view, body: null }
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
      request: shown(match),
      transform_failure: match.transformFailure,
    })),
  }
}

export function transformPreviewView(
  { request, transformFailure }: ShownRequest,
  reader: Reader,
): WireTransformPreview {
  return { request: request === null ? null : requestView(request, reader), transform_failure: transformFailure }
}

function requestView({ url, headers, body }: NonNullable<ShownRequest['request']>, reader: Reader) {
  return { method, url, headers: customHeadersView(headers, reader), body, body_bytes: Buffer.byteLength(body) }
}

function verdictView(
  { matched, failed, unfinished }: Pick<Verdict, 'matched' | 'failed' | 'unfinished'>,
  payloads: boolean,
) {
  const failedClause: FailedClause | null = failed && { ...failed, found: payloads ? failed.found : null }
  return { matched, failed_clause: failedClause, filter_unfinished: unfinished }
}
