/**
 * Keys ready to sign with, so that a subscription's secret is not opened and imported anew for each attempt.
 */
import { type PrivateKey, parsePrivateKey, parseSecret, type SigningKey } from '@posthorn/signing'
import { openSecret, type SecretPlace } from './sealed-secrets.ts'
import type { Seal } from './sealing.ts'

/** Keys kept ready. At two keys a subscription in rotation this covers the subscriptions that are busy at one time. */
const keysMax = 10_000

/** A secret as it is stored, in base64, and where it belongs. */
export type StoredKey = SecretPlace & { sealed: string }

/**
 * Opens a stored key. Remembers the most recently used ones.
 *
 * @throws SealError when it cannot be opened; `WebhookArgumentError` when what was in it is no key
 */
export type KeyRing = (stored: StoredKey) => SigningKey | PrivateKey

export function createKeyRing(seal: Seal): KeyRing {
  const keys = new Map<string, SigningKey | PrivateKey>()
  return (stored) => {
    const name = nameOf(stored)
    const known = keys.get(name)
    // Deleting and setting again moves a key to the young end of the map.
    if (known !== undefined) keys.delete(name)
    const key = known ?? openKey(seal, stored)
    keys.set(name, key)
    const oldest = keys.keys().next()
    if (keys.size > keysMax && !oldest.done) keys.delete(oldest.value)
    return key
  }
}

/** All of what a seal is bound to, so that a row changed in any way is opened anew, and found broken. */
function nameOf({ id, tenantId, subscriptionId, scheme, sealed }: StoredKey): string {
  return `${tenantId}|${subscriptionId}|${id}|${scheme}|${sealed}`
}

function openKey(seal: Seal, { sealed, ...place }: StoredKey): SigningKey | PrivateKey {
  const key = openSecret(seal, Buffer.from(sealed, 'base64'), place)
  const base64 = Buffer.from(key).toString('base64')
  key.fill(0)
  return place.scheme === 'v1a' ? parsePrivateKey(`whsk_${base64}`) : parseSecret(base64)
}
