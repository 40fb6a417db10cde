/**
 * The TLS contexts of subscriptions that have TLS settings of their own, made once and kept while they are used.
 *
 * An identity belongs to one subscription and to one version of its settings. Connections are kept by it, so that one
 * made with a client certificate, or judged by a private authority, never carries a request of another subscription, nor
 * one of the same after its settings were changed.
 */
import { createHash } from 'node:crypto'
import type { SecureContext } from 'node:tls'
import type { TlsSettings } from '@posthorn/engine'
import { createOwnTlsContext } from './connect.ts'

/** Contexts kept ready. Each costs two to five milliseconds and 24 KiB; 120 KiB with twenty authorities. */
const identitiesMax = 1_000

export type TlsIdentity = {
  /** Another one for every subscription and for every version of its settings. */
  readonly key: string
  readonly secureContext: SecureContext
}

/**
 * The identity for the settings of a subscription. Remembers the most recently used ones.
 *
 * @param open opens the sealed settings, and is only called for those that are not known. What it throws is thrown on
 */
export type TlsIdentities = (subscriptionId: string, sealed: Uint8Array, open: () => TlsSettings) => TlsIdentity

/** @param trusted authorities (PEM) to be trusted beside those of the system, where the settings name none */
export function createTlsIdentities(trusted: readonly string[] = []): TlsIdentities {
  const identities = new Map<string, TlsIdentity>()
  return (subscriptionId, sealed, open) => {
    // The seal holds a random number, so other settings have other bytes.
    const key = `${subscriptionId}:${createHash('sha256').update(sealed).digest('base64')}`
    const known = identities.get(key)
    // Deleting and setting again moves it to the young end of the map.
    if (known !== undefined) identities.delete(key)
    const identity = known ?? { key, secureContext: createOwnTlsContext(open(), trusted) }
    identities.set(key, identity)
    const oldest = identities.keys().next()
    if (identities.size > identitiesMax && !oldest.done) identities.delete(oldest.value)
    return identity
  }
}
