/**
 * Secrets of the scheme `v1`: text `whsec_…` outside, an opaque `SigningKey` inside.
 *
 * The form follows Standard Webhooks 1.0, section "Signature scheme": 24 to 64 random bytes in base64 with the prefix
 * `whsec_`. A `SigningKey` keeps its bytes in a Node `KeyObject`, outside the JavaScript heap: logging it, turning it
 * into JSON or inspecting it shows nothing, and signing with it is faster than with bytes, which are imported again at
 * each call. Only `formatSecret` gives the secret back.
 */
import { Buffer } from 'node:buffer'
import { createSecretKey, type KeyObject } from 'node:crypto'
import { types } from 'node:util'
import { decodeBase64 } from './base64.ts'
import { type SecretFault, WebhookArgumentError } from './errors.ts'

/** How many bytes a new secret has: 288 bits, and 48 base64 characters with no `=` to lose in copying. */
const generatedSecretBytes = 36
/** Standard Webhooks 1.0, "Signature scheme": at least 192 bits, at most 512. */
const secretBytesMin = 24
const secretBytesMax = 64

const symmetricPrefix = 'whsec_'
const asymmetricPrefix = /^wh[sp]k_/

declare const signingKey: unique symbol

/** A `v1` key, made by `parseSecret`. Opaque: it has no readable property and does not show its bytes. */
export interface SigningKey {
  readonly [signingKey]: 'v1'
}

/**
 * A new secret as text, to be stored (encrypted) and shown to the receiver: `whsec_` and the base64 of 36 random bytes.
 *
 * @param randomBytes a cryptographic source, for example `randomBytes` of `node:crypto`
 * @throws WebhookArgumentError `invalid_random_bytes` if the source does not give the bytes asked for
 */
export function generateSecret(randomBytes: (size: number) => Uint8Array): string {
  const bytes = randomBytes(generatedSecretBytes)
  if (!types.isUint8Array(bytes) || bytes.length !== generatedSecretBytes) {
    throw new WebhookArgumentError({ code: 'invalid_random_bytes' })
  }
  return symmetricPrefix + Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}

/**
 * The key in a secret's text. The prefix `whsec_` may be missing, as in every reference library: the standard adds it
 * only so that people recognise a secret. Otherwise the form is exact, because some libraries decode what is nearly
 * base64 to a wrong key without a word.
 *
 * @throws WebhookArgumentError `invalid_secret` with the reason; the message does not repeat the text
 */
export function parseSecret(text: string): SigningKey {
  if (typeof text !== 'string') throw invalidSecret('not_text')
  if (asymmetricPrefix.test(text)) throw invalidSecret('asymmetric_key')
  const base64 = text.startsWith(symmetricPrefix) ? text.slice(symmetricPrefix.length) : text
  const bytes = decodeBase64(base64)
  if (typeof bytes === 'string') throw invalidSecret(bytes)
  if (bytes.length < secretBytesMin) throw invalidSecret('too_short')
  if (bytes.length > secretBytesMax) throw invalidSecret('too_long')
  const key = createSecretKey(bytes)
  bytes.fill(0)
  return opaque(key)
}

/**
 * The text of a key, always with the prefix.
 *
 * @throws WebhookArgumentError `invalid_keys` if the value does not come from `parseSecret`
 */
export function formatSecret(key: SigningKey): string {
  return symmetricPrefix + hmacKey(key).export().toString('base64')
}

/**
 * The key for `createHmac`.
 *
 * @internal
 * @throws WebhookArgumentError `invalid_keys` if the value does not come from `parseSecret`
 */
export function hmacKey(key: unknown): KeyObject {
  const sizeBytes = types.isKeyObject(key) ? key.symmetricKeySize : undefined
  if (sizeBytes === undefined || sizeBytes < secretBytesMin || sizeBytes > secretBytesMax) {
    throw new WebhookArgumentError({ code: 'invalid_keys', reason: 'not_a_signing_key' })
  }
  // `isKeyObject` above is the proof.
  return key as KeyObject
}

function invalidSecret(reason: SecretFault): WebhookArgumentError {
  return new WebhookArgumentError({ code: 'invalid_secret', reason })
}

function opaque(key: KeyObject): SigningKey {
  // The public type hides the KeyObject: no caller depends on it, and the type declarations need no Node types.
  return key as object as SigningKey
}
