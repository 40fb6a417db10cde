/** The keys that callers give, sorted by scheme. For this package only. */
import type { KeyObject } from 'node:crypto'
import { WebhookArgumentError } from './errors.ts'
import { ed25519Key } from './key-pair.ts'
import { hmacKey } from './secret.ts'

/** One signature a key goes into each request, so the header stays below 1,000 characters. */
export const keysMax = 10

/** The keys of each scheme, in the order given. */
export interface SortedKeys {
  readonly v1: readonly KeyObject[]
  readonly v1a: readonly KeyObject[]
}

/**
 * Sorts keys by scheme.
 *
 * @param half of a key pair: the private one signs, the public one verifies
 * @throws WebhookArgumentError `invalid_keys` if there are none, more than 10, or one is no key for this
 */
export function sortKeys(keys: readonly unknown[], half: 'private' | 'public'): SortedKeys {
  if (!Array.isArray(keys)) throw new WebhookArgumentError({ code: 'invalid_keys', reason: 'not_a_signing_key' })
  if (keys.length === 0) throw new WebhookArgumentError({ code: 'invalid_keys', reason: 'none' })
  if (keys.length > keysMax) throw new WebhookArgumentError({ code: 'invalid_keys', reason: 'too_many' })
  const v1: KeyObject[] = []
  const v1a: KeyObject[] = []
  for (const key of keys) {
    const pair = ed25519Key(key, half)
    if (pair !== undefined) v1a.push(pair)
    else v1.push(hmacKey(key))
  }
  return { v1, v1a }
}
