/**
 * Verifying by Standard Webhooks 1.0, schemes `v1` and `v1a`, with one key or several (rotation).
 *
 * The order of the checks: the arguments, the form of the headers, the signature, the time. The time comes last so that
 * `timestamp_too_old` says "authentic, but stale", which is a fact about clocks and queues and not about an attacker.
 * It proves who sent the request, not that it is the first time: keep the ids that were handled.
 */
import { Buffer } from 'node:buffer'
import { timingSafeEqual, verify as verifyEd25519 } from 'node:crypto'
import { types } from 'node:util'
import { WebhookArgumentError, WebhookVerificationError } from './errors.ts'
import { invalidHeader, readHeader, type WebhookHeaders } from './headers.ts'
import type { PublicKey } from './key-pair.ts'
import { keysMax, type SortedKeys, sortKeys } from './keys.ts'
import type { SigningKey } from './secret.ts'
import { hmacOf, type RawContent, requireRawBody, schemes, signedBytes } from './signature.ts'

/** The tolerance of every reference library, into the past and into the future. */
const toleranceSecondsDefault = 300
/** Room for 10 keys under three schemes; each signature is compared with each key of its scheme. */
const signaturesMax = 32

/** Visible ASCII without `.`, which separates what is signed, and `,`, which joins repeated headers. */
const idPattern = /^[!-+\-/-~]+$/
/** What `String()` makes of 0 to 99,999,999,999: no sign, no leading zero, no fraction. */
const timestampPattern = /^(?:0|[1-9][0-9]{0,10})$/
/** Scheme and signature: visible ASCII with exactly one comma. */
const tokenPattern = /^([!-+\--~]+),([!-+\--~]+)$/
/** The base64 of 32 bytes. The last character before `=` carries four bits, so only 16 are possible. */
const hmacPattern = /^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/
/** The base64 of 64 bytes. The last character before `==` carries two bits, so only 4 are possible. */
const ed25519Pattern = /^[A-Za-z0-9+/]{85}[AQgw]==$/

/** What `verify` needs. */
export interface VerifyOptions {
  /** The headers of the request, in any usual form. */
  readonly headers: WebhookHeaders
  /** The body as received, before any parsing. Prefer bytes: decoding to text drops a byte order mark. */
  readonly body: Uint8Array | string
  /** 1 to 10 keys that are valid now, of either scheme; one fitting signature is enough. */
  readonly keys: readonly (SigningKey | PublicKey)[]
  /** The receiver's time, usually `new Date()`. */
  readonly now: Date
  /** How far the timestamp may be from `now`, both ways, in whole seconds. Default 300. */
  readonly toleranceSeconds?: number | undefined
}

/** What is known to come from the holder of the secret, together with the body. */
export interface VerifiedWebhook {
  /** The same for every attempt: handle each id once. */
  readonly id: string
  /** Unix seconds of the attempt. */
  readonly timestamp: number
}

/**
 * Returns id and timestamp of an authentic, recent request, or throws.
 *
 * Each `v1` signature is compared with each secret in constant time, and always all of them; each `v1a` signature with
 * each public key. Signatures of a scheme for which no key is given are ignored as long as there are others.
 *
 * @throws WebhookVerificationError when the request is not to be trusted
 * @throws WebhookArgumentError `body_not_raw`, `invalid_keys`, `invalid_now` or `invalid_tolerance`
 */
export function verify({
  headers,
  body,
  keys,
  now,
  toleranceSeconds = toleranceSecondsDefault,
}: VerifyOptions): VerifiedWebhook {
  requireRawBody(body)
  const sorted = sortKeys(keys, 'public')
  const nowSeconds = secondsOf(now)
  if (!Number.isInteger(toleranceSeconds) || toleranceSeconds < 0) {
    throw new WebhookArgumentError({ code: 'invalid_tolerance' })
  }

  const id = readId(headers)
  const timestampText = readTimestamp(headers)
  const signatures = readSignatures(headers, sorted)
  if (!anyMatches({ id, timestampText, body }, signatures, sorted)) {
    throw new WebhookVerificationError({
      code: 'no_matching_signature',
      signatures: signatures.v1.length + signatures.v1a.length,
      keys: keys.length,
    })
  }

  const timestamp = Number(timestampText)
  const ageSeconds = nowSeconds - timestamp
  if (ageSeconds > toleranceSeconds) {
    throw new WebhookVerificationError({ code: 'timestamp_too_old', id, timestamp, ageSeconds, toleranceSeconds })
  }
  if (-ageSeconds > toleranceSeconds) {
    const aheadSeconds = -ageSeconds
    throw new WebhookVerificationError({ code: 'timestamp_too_new', id, timestamp, aheadSeconds, toleranceSeconds })
  }
  return { id, timestamp }
}

function secondsOf(now: Date): number {
  const ms = types.isDate(now) ? now.getTime() : Number.NaN
  if (Number.isNaN(ms)) throw new WebhookArgumentError({ code: 'invalid_now' })
  return Math.floor(ms / 1000)
}

function readId(headers: WebhookHeaders): string {
  const id = readHeader(headers, 'webhook-id')
  if (id.includes(',')) throw invalidHeader('webhook-id', 'repeated')
  if (!idPattern.test(id)) throw invalidHeader('webhook-id', 'not_an_id')
  return id
}

function readTimestamp(headers: WebhookHeaders): string {
  const text = readHeader(headers, 'webhook-timestamp')
  if (text.includes(',')) throw invalidHeader('webhook-timestamp', 'repeated')
  if (!timestampPattern.test(text)) throw invalidHeader('webhook-timestamp', 'not_unix_seconds')
  return text
}

/** The signatures of each scheme, as bytes. */
interface Signatures {
  readonly v1: readonly Buffer[]
  readonly v1a: readonly Buffer[]
}

/** The signatures of the header under the schemes of our keys, at least one. */
function readSignatures(headers: WebhookHeaders, keys: SortedKeys): Signatures {
  const tokens = readHeader(headers, 'webhook-signature').split(' ', signaturesMax + 1)
  if (tokens.length > signaturesMax) throw invalidHeader('webhook-signature', 'too_many_signatures')
  const v1: Buffer[] = []
  const v1a: Buffer[] = []
  const otherSchemes: string[] = []
  for (const token of tokens) {
    const [, scheme, text] = tokenPattern.exec(token) ?? []
    if (scheme === undefined || text === undefined) {
      throw invalidHeader('webhook-signature', 'not_a_signature_list')
    }
    if (scheme === schemes.symmetric && keys.v1.length > 0) v1.push(decodeSignature(text, hmacPattern))
    else if (scheme === schemes.asymmetric && keys.v1a.length > 0) v1a.push(decodeSignature(text, ed25519Pattern))
    else otherSchemes.push(scheme)
  }
  // Each of these reads the whole body anew for each key: no sender has more of them than keys.
  if (v1a.length > keysMax) throw invalidHeader('webhook-signature', 'too_many_signatures')
  if (v1.length + v1a.length === 0) {
    throw new WebhookVerificationError({ code: 'unsupported_scheme', schemes: otherSchemes })
  }
  return { v1, v1a }
}

function decodeSignature(text: string, pattern: RegExp): Buffer {
  if (/[_-]/.test(text)) throw invalidHeader('webhook-signature', 'url_safe_base64')
  // Exact, so that equal bytes mean equal text: a changed signature never passes because decoding forgave it.
  if (!pattern.test(text)) {
    throw invalidHeader('webhook-signature', pattern === hmacPattern ? 'not_a_v1_signature' : 'not_a_v1a_signature')
  }
  return Buffer.from(text, 'base64')
}

function anyMatches(content: RawContent, signatures: Signatures, keys: SortedKeys): boolean {
  let matches = false
  for (const key of keys.v1) {
    const expected = hmacOf(content, key).digest()
    // The comparison stands first: `||` must not skip it once one has matched.
    for (const signature of signatures.v1) matches = timingSafeEqual(signature, expected) || matches
  }
  // Nothing here is secret, so the first match may end it.
  if (matches || signatures.v1a.length === 0) return matches
  const bytes = signedBytes(content)
  return keys.v1a.some((key) => signatures.v1a.some((signature) => verifyEd25519(null, bytes, key, signature)))
}
