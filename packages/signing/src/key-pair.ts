/**
 * Key pairs of the scheme `v1a` (Ed25519, RFC 8032): the sender keeps the private key, `whsk_…`, and everybody may know
 * the public one, `whpk_…`.
 *
 * Standard Webhooks 1.0 says only "standard ed25519 key pair". The text of a private key is the base64 of 64 bytes, the
 * seed and then the public key, as the standard's first sender writes it; the 32 bytes of the seed alone are read too.
 * Both keys are Node's `KeyObject` inside, so neither shows its bytes by accident.
 */
import { Buffer } from 'node:buffer'
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { types } from 'node:util'
import { decodeBase64 } from './base64.ts'
import { type KeyFault, WebhookArgumentError } from './errors.ts'

/** RFC 8032 §5.1.5: both the seed and the public key have 32 bytes. */
const halfBytes = 32
const privatePrefix = 'whsk_'
const publicPrefix = 'whpk_'
/** PKCS #8 of an Ed25519 key (RFC 8410 §7) up to its seed: Node reads a bare seed in no other form. */
const pkcs8Head = Buffer.from('302e020100300506032b657004220420', 'hex')

declare const privateKey: unique symbol
declare const publicKey: unique symbol

/** A `v1a` key to sign with, made by `parsePrivateKey`. Opaque: it does not show its bytes. */
export interface PrivateKey {
  readonly [privateKey]: 'v1a'
}

/** A `v1a` key to verify with, made by `parsePublicKey`. */
export interface PublicKey {
  readonly [publicKey]: 'v1a'
}

/** A new key pair as text. */
export interface KeyPair {
  /** `whsk_…`: for the sender alone, to be stored encrypted. */
  readonly privateKey: string
  /** `whpk_…`: for receivers. */
  readonly publicKey: string
}

/**
 * A new key pair.
 *
 * @param randomBytes a cryptographic source, for example `randomBytes` of `node:crypto`
 * @throws WebhookArgumentError `invalid_random_bytes` if the source does not give the 32 bytes asked for
 */
export function generateKeyPair(randomBytes: (size: number) => Uint8Array): KeyPair {
  const seed = randomBytes(halfBytes)
  if (!types.isUint8Array(seed) || seed.length !== halfBytes) {
    throw new WebhookArgumentError({ code: 'invalid_random_bytes' })
  }
  const key = fromSeed(seed)
  return { privateKey: privateText(key), publicKey: publicText(key) }
}

/**
 * The key in the text of a private key. The form is exact, and the public half must be the one that belongs to the seed:
 * with halves of two pairs, receivers would refuse everything.
 *
 * @throws WebhookArgumentError `invalid_key` with the reason; the message does not repeat the text
 */
export function parsePrivateKey(text: string): PrivateKey {
  const bytes = bytesOf(text, privatePrefix)
  if (bytes.length !== halfBytes && bytes.length !== 2 * halfBytes) throw invalidKey('wrong_length')
  const key = fromSeed(bytes.subarray(0, halfBytes))
  if (bytes.length > halfBytes && !publicBytes(key).equals(bytes.subarray(halfBytes))) throw invalidKey('other_half')
  bytes.fill(0)
  // The public types hide the KeyObject: no caller depends on it, and the declarations need no Node types.
  return key as object as PrivateKey
}

/**
 * The key in the text of a public key.
 *
 * @throws WebhookArgumentError `invalid_key` with the reason
 */
export function parsePublicKey(text: string): PublicKey {
  const bytes = bytesOf(text, publicPrefix)
  if (bytes.length !== halfBytes) throw invalidKey('wrong_length')
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: bytes.toString('base64url') }
  return createPublicKey({ key: jwk, format: 'jwk' }) as object as PublicKey
}

/**
 * The text of a private key, always with both halves.
 *
 * @throws WebhookArgumentError `invalid_keys` if the value does not come from `parsePrivateKey`
 */
export function formatPrivateKey(key: PrivateKey): string {
  const found = ed25519Key(key, 'private')
  if (found === undefined) throw new WebhookArgumentError({ code: 'invalid_keys', reason: 'not_a_signing_key' })
  return privateText(found)
}

/**
 * The text of a public key, also of the one that belongs to a private key.
 *
 * @throws WebhookArgumentError `invalid_keys` if the value comes from neither `parsePublicKey` nor `parsePrivateKey`
 */
export function formatPublicKey(key: PublicKey | PrivateKey): string {
  const found = ed25519Key(key, 'public') ?? ed25519Key(key, 'private')
  if (found === undefined) throw new WebhookArgumentError({ code: 'invalid_keys', reason: 'not_a_signing_key' })
  return publicText(found)
}

/**
 * The key for Node's `sign` or `verify`, or nothing if it is no such key.
 *
 * @internal
 */
export function ed25519Key(value: unknown, type: 'private' | 'public'): KeyObject | undefined {
  const isOne = types.isKeyObject(value) && value.type === type && value.asymmetricKeyType === 'ed25519'
  return isOne ? value : undefined
}

function fromSeed(seed: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.concat([pkcs8Head, seed]), format: 'der', type: 'pkcs8' })
}

function privateText(key: KeyObject): string {
  const { d = '' } = key.export({ format: 'jwk' })
  return privatePrefix + Buffer.concat([Buffer.from(d, 'base64url'), publicBytes(key)]).toString('base64')
}

function publicText(key: KeyObject): string {
  return publicPrefix + publicBytes(key).toString('base64')
}

function publicBytes(key: KeyObject): Buffer {
  const { x = '' } = key.export({ format: 'jwk' })
  return Buffer.from(x, 'base64url')
}

function bytesOf(text: string, prefix: string): Buffer {
  if (typeof text !== 'string') throw invalidKey('not_text')
  if (!text.startsWith(prefix)) throw invalidKey('other_prefix')
  const bytes = decodeBase64(text.slice(prefix.length))
  if (typeof bytes === 'string') throw invalidKey(bytes)
  return bytes
}

function invalidKey(reason: KeyFault): WebhookArgumentError {
  return new WebhookArgumentError({ code: 'invalid_key', reason })
}
