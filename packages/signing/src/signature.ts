/**
 * The schemes `v1` and `v1a`: HMAC-SHA256 and Ed25519 over `{id}.{timestamp}.{body}` (Standard Webhooks 1.0, section
 * "Signature scheme").
 * For this package only: `sign` and `verify` decide what may come in here.
 */
import { Buffer } from 'node:buffer'
import { createHmac, type Hmac, type KeyObject } from 'node:crypto'
import { types } from 'node:util'
import { WebhookArgumentError } from './errors.ts'

/** The schemes' names in a signature token. */
export const schemes = { symmetric: 'v1', asymmetric: 'v1a' } as const
/** The latest second there is here, in the year 5138. It keeps out milliseconds, the usual mistake. */
export const timestampSecondsMax = 99_999_999_999

/** What the sender signs: id and timestamp exactly as in the headers, and the bytes of the body. */
export interface RawContent {
  readonly id: string
  readonly timestampText: string
  readonly body: Uint8Array | string
}

/** The HMAC, still to be read as bytes or as base64. The body goes in as it is, without being joined or copied. */
export function hmacOf({ id, timestampText, body }: RawContent, key: KeyObject): Hmac {
  return createHmac('sha256', key).update(`${id}.${timestampText}.`).update(body)
}

/** What Ed25519 signs. It needs the whole text at once, so the body is copied. */
export function signedBytes({ id, timestampText, body }: RawContent): Buffer {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body
  return Buffer.concat([Buffer.from(`${id}.${timestampText}.`), bytes])
}

/**
 * Refuses everything that is not the body as it is on the wire.
 *
 * @throws WebhookArgumentError `body_not_raw`
 */
export function requireRawBody(body: unknown): asserts body is Uint8Array | string {
  // Not `instanceof`: test runners give modules another `Uint8Array` than the one Node's own bytes have.
  if (typeof body === 'string' || types.isUint8Array(body)) return
  throw new WebhookArgumentError({ code: 'body_not_raw', received: kindOf(body) })
}

function kindOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice('[object '.length, -1)
}
