/**
 * Signing by Standard Webhooks 1.0, schemes `v1` and `v1a`, with one key or several (rotation).
 *
 * Sign immediately before each attempt: receivers refuse a timestamp more than five minutes away from their clock.
 */
import type { Buffer } from 'node:buffer'
import { sign as signEd25519 } from 'node:crypto'
import { WebhookArgumentError, type WebhookHeaderName } from './errors.ts'
import type { PrivateKey } from './key-pair.ts'
import { sortKeys } from './keys.ts'
import type { SigningKey } from './secret.ts'
import { hmacOf, requireRawBody, schemes, signedBytes, timestampSecondsMax } from './signature.ts'

/** No `.`, which separates what is signed, and nothing that a header, a URL or a log would have to escape. */
const idPattern = /^[A-Za-z0-9_-]+$/

/** What is signed, and what has to be sent unchanged. */
export interface WebhookContent {
  /** The header `webhook-id`: the same for every attempt, so that the receiver can recognise duplicates. */
  readonly id: string
  /** The header `webhook-timestamp`: Unix seconds of this attempt. */
  readonly timestamp: number
  /** Exactly the bytes that are sent; a string stands for its UTF-8 bytes. */
  readonly body: Uint8Array | string
}

/** The three headers to send with the body. */
export type SignedHeaders = Readonly<Record<WebhookHeaderName, string>>

/**
 * The value of the header `webhook-signature`: one token for each key, separated by exactly one space (the Python
 * reference library fails on anything else). First `v1a,…` for each key pair and then `v1,…` for each secret, each in
 * the order of the keys: there are receivers that read the last token only, and they know `v1`.
 *
 * @param keys 1 to 10; during a rotation the new one and those that are still valid
 * @throws WebhookArgumentError `invalid_id`, `invalid_timestamp`, `body_not_raw` or `invalid_keys`
 */
export function sign({ id, timestamp, body }: WebhookContent, keys: readonly (SigningKey | PrivateKey)[]): string {
  if (typeof id !== 'string' || !idPattern.test(id)) throw new WebhookArgumentError({ code: 'invalid_id' })
  if (!Number.isInteger(timestamp) || timestamp < 0 || timestamp > timestampSecondsMax) {
    throw new WebhookArgumentError({ code: 'invalid_timestamp' })
  }
  requireRawBody(body)
  const content = { id, timestampText: String(timestamp), body }
  const { v1, v1a } = sortKeys(keys, 'private')
  const tokens = v1.map((key) => `${schemes.symmetric},${hmacOf(content, key).digest('base64')}`)
  if (v1a.length > 0) {
    const bytes = signedBytes(content)
    const token = (signature: Buffer) => `${schemes.asymmetric},${signature.toString('base64')}`
    tokens.unshift(...v1a.map((key) => token(signEd25519(null, bytes, key))))
  }
  return tokens.join(' ')
}

/**
 * The three headers of a signed request, ready to be sent.
 *
 * @throws WebhookArgumentError as `sign`
 */
export function signedHeaders(content: WebhookContent, keys: readonly (SigningKey | PrivateKey)[]): SignedHeaders {
  return {
    'webhook-id': content.id,
    'webhook-timestamp': String(content.timestamp),
    'webhook-signature': sign(content, keys),
  }
}
