/**
 * Keys ready to sign with, so that a subscription's secret is not imported anew for each attempt.
 */
import { parseSecret, type SigningKey } from '@posthorn/signing'

/** Keys kept ready. At two keys a subscription in rotation this covers the subscriptions that are busy at one time. */
const keysMax = 10_000

/** Turns the base64 of a secret into a key. Remembers the most recently used ones. */
export type KeyRing = (base64: string) => SigningKey

export function createKeyRing(): KeyRing {
  const keys = new Map<string, SigningKey>()
  return (base64) => {
    const known = keys.get(base64)
    // Deleting and setting again moves a key to the young end of the map.
    if (known !== undefined) keys.delete(base64)
    const key = known ?? parseSecret(base64)
    keys.set(base64, key)
    const oldest = keys.keys().next()
    if (keys.size > keysMax && !oldest.done) keys.delete(oldest.value)
    return key
  }
}
