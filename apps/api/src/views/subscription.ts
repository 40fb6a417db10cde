import {
  formatId,
  readExactJson,
  type PublicKey as WirePublicKey,
  type Secret as WireSecret,
  type Subscription as WireSubscription,
} from '@posthorn/contract'
import {
  type OlderKey,
  type PublicKeyInfo,
  type RevealedSecret,
  type Subscription,
  schemesOf,
  shownAuth,
  shownTls,
} from '@posthorn/engine'
import type { Reader } from '../reader.ts'
import { customHeadersView } from './headers.ts'

/** A subscription without its secrets: they are not even read with it. */
export function subscriptionView(subscription: Subscription, reader: Reader): WireSubscription {
  const { retryScheduleSeconds } = subscription
  return {
    id: formatId('subscription', subscription.id),
    tenant: subscription.tenantId,
    url: subscription.url,
    event_types: subscription.eventTypes,
    // Stored by the engine, which read it as an object.
    filter: subscription.filter === null ? null : (readExactJson(subscription.filter) as WireSubscription['filter']),
    transform: subscription.transform,
    description: subscription.description,
    // Written by the engine from objects of these forms; the columns' CHECKs are held to the lists of words by a test.
    headers: customHeadersView(subscription.headers as WireSubscription['headers'], reader),
    metadata: subscription.metadata as WireSubscription['metadata'],
    state: subscription.state as WireSubscription['state'],
    disabled_reason: subscription.disabledReason as WireSubscription['disabled_reason'],
    state_changed_at: subscription.stateChangedAt.toISOString(),
    timeout_ms: subscription.timeoutMs,
    max_in_flight: subscription.maxInFlight,
    retry_schedule_seconds: retryScheduleSeconds.length === 0 ? null : retryScheduleSeconds,
    rate_limit_per_second: subscription.rateLimitPerSecond,
    ordered: subscription.ordered,
    forward_traceparent: subscription.forwardTraceparent,
    contacts: subscription.contacts as WireSubscription['contacts'],
    payload_format: subscription.payloadFormat as WireSubscription['payload_format'],
    final_statuses: subscription.finalStatuses,
    auth: shownAuth(subscription),
    tls: shownTls(subscription),
    signature_schemes: schemesOf(subscription),
    public_key: subscription.publicKey,
    not_before: subscription.notBefore?.toISOString() ?? null,
    failing_since: subscription.failingSince?.toISOString() ?? null,
    breaker_opened_at: subscription.breakerOpenedAt?.toISOString() ?? null,
    created_at: subscription.createdAt.toISOString(),
    updated_at: subscription.updatedAt.toISOString(),
  }
}

export function secretView(secret: RevealedSecret): WireSecret {
  return {
    id: formatId('secret', secret.id),
    secret: secret.text,
    created_at: secret.createdAt.toISOString(),
    expires_at: secret.expiresAt?.toISOString() ?? null,
  }
}

/** A key that goes on signing beside the one that has taken its place. */
export function olderView({ id, expiresAt }: OlderKey): { id: string; expires_at: string } {
  return { id: formatId('secret', id), expires_at: expiresAt.toISOString() }
}

export function publicKeyView(key: PublicKeyInfo): WirePublicKey {
  return {
    id: formatId('secret', key.id),
    public_key: key.publicKey,
    created_at: key.createdAt.toISOString(),
    expires_at: key.expiresAt?.toISOString() ?? null,
  }
}
