/**
 * Every way this library says no: two error classes, each with a closed list of codes.
 *
 * `WebhookVerificationError` is about a request: do not trust it, answer 400. `WebhookArgumentError` is about the
 * calling code or its configuration: the request may be fine, answer 500 and mend the code. Branch on `error.code`, or
 * on `error.failure.code` to have the data of that code typed. Messages are for people and may change; they and the
 * data never hold a secret, a signature or a body.
 */

/** The three headers of Standard Webhooks 1.0, section "Webhook headers", in the order this library sends them. */
export const webhookHeaderNames = ['webhook-id', 'webhook-timestamp', 'webhook-signature'] as const
export type WebhookHeaderName = (typeof webhookHeaderNames)[number]

/** A header is absent or empty. Verified so far: nothing. */
export interface MissingHeader {
  readonly code: 'missing_header'
  readonly header: WebhookHeaderName
}

/** A header is there but not in the form the standard gives it. Verified so far: nothing. */
export interface InvalidHeader {
  readonly code: 'invalid_header'
  readonly header: WebhookHeaderName
  readonly reason: HeaderFault
}

/**
 * - `repeated`: the header was sent more than once (or, for id and timestamp, joined by a comma on the way)
 * - `not_text`: a value that is no string
 * - `not_an_id`: not visible ASCII, or with a `.`, which would let one signature fit two requests
 * - `not_unix_seconds`: not a plain decimal integer of at most 11 digits; milliseconds have 13
 * - `not_a_signature_list`: not `<scheme>,<signature>` tokens separated by exactly one space
 * - `too_many_signatures`: more than 32 tokens, or more than 10 of the scheme `v1a`
 * - `url_safe_base64`: a signature in the URL-safe alphabet; the standard uses the plain one
 * - `not_a_v1_signature`: a `v1` signature that is not the padded base64 of 32 bytes, for example cut off
 * - `not_a_v1a_signature`: a `v1a` signature that is not the padded base64 of 64 bytes
 */
export type HeaderFault =
  | 'repeated'
  | 'not_text'
  | 'not_an_id'
  | 'not_unix_seconds'
  | 'not_a_signature_list'
  | 'too_many_signatures'
  | 'url_safe_base64'
  | 'not_a_v1_signature'
  | 'not_a_v1a_signature'

/**
 * The signature header holds no signature of a scheme that a key was given for, only others: `v1a` where the receiver
 * has a secret alone, for example.
 * Verified so far: all three headers are well-formed. Nothing is known to be authentic.
 */
export interface UnsupportedScheme {
  readonly code: 'unsupported_scheme'
  /** The schemes found, as the sender named them. */
  readonly schemes: readonly string[]
}

/**
 * No signature fits any of the keys: another key, or other bytes than were signed.
 * Verified so far: all three headers are well-formed. Nothing is known to be authentic, and the time was not judged.
 */
export interface NoMatchingSignature {
  readonly code: 'no_matching_signature'
  /** How many signatures the header holds, of the schemes that keys were given for. */
  readonly signatures: number
  /** How many keys were given. */
  readonly keys: number
}

/**
 * The request was signed longer ago than the tolerance allows: a replay, a long queue, or a clock that is wrong.
 * Verified so far: everything else. Id, timestamp and body come from the holder of the secret.
 */
export interface TimestampTooOld {
  readonly code: 'timestamp_too_old'
  readonly id: string
  /** Unix seconds, as signed. */
  readonly timestamp: number
  readonly ageSeconds: number
  readonly toleranceSeconds: number
}

/**
 * The request was signed further in the future than the tolerance allows: one of the two clocks is wrong.
 * Verified so far: everything else. Id, timestamp and body come from the holder of the secret.
 */
export interface TimestampTooNew {
  readonly code: 'timestamp_too_new'
  readonly id: string
  /** Unix seconds, as signed. */
  readonly timestamp: number
  readonly aheadSeconds: number
  readonly toleranceSeconds: number
}

/** Why a request is not to be trusted, in the order of the checks. */
export type VerificationFailure =
  | MissingHeader
  | InvalidHeader
  | UnsupportedScheme
  | NoMatchingSignature
  | TimestampTooOld
  | TimestampTooNew
export type VerificationCode = VerificationFailure['code']

/** The text is no `v1` secret. Thrown by `parseSecret`. */
export interface InvalidSecret {
  readonly code: 'invalid_secret'
  readonly reason: SecretFault
}

/**
 * - `not_text`: no string, for example an environment variable that is not set
 * - `asymmetric_key`: a `whsk_` or `whpk_` key, which belongs to the scheme `v1a`
 * - `whitespace`: a space or line break, usually from copying
 * - `url_safe_base64`: `-` and `_` instead of `+` and `/`; some libraries decode these to a wrong, shorter key
 * - `not_base64`: another character that base64 does not have
 * - `bad_padding`: `=` missing or too many, or bits left over: characters were lost
 * - `too_short`, `too_long`: outside the 24 to 64 bytes of the standard
 */
export type SecretFault =
  | 'not_text'
  | 'asymmetric_key'
  | 'whitespace'
  | 'url_safe_base64'
  | 'not_base64'
  | 'bad_padding'
  | 'too_short'
  | 'too_long'

/** The text is no key of the scheme `v1a`. Thrown by `parsePrivateKey` and `parsePublicKey`. */
export interface InvalidKey {
  readonly code: 'invalid_key'
  readonly reason: KeyFault
}

/**
 * - `not_text`: no string, for example an environment variable that is not set
 * - `other_prefix`: not `whsk_` of a private key, or not `whpk_` of a public one; perhaps the two were mixed up
 * - `whitespace`, `url_safe_base64`, `not_base64`, `bad_padding`: as in a secret
 * - `wrong_length`: not 64 bytes (or the 32 of the seed) of a private key, or not the 32 of a public one
 * - `other_half`: the second half of a private key is not the public key that belongs to the first
 */
export type KeyFault =
  | 'not_text'
  | 'other_prefix'
  | 'whitespace'
  | 'url_safe_base64'
  | 'not_base64'
  | 'bad_padding'
  | 'wrong_length'
  | 'other_half'

/** The keys given to `sign`, `verify` or a `format…` function cannot be used. */
export interface InvalidKeys {
  readonly code: 'invalid_keys'
  /** `not_a_signing_key`: a value that no `parse…` function made, or the wrong half of a key pair. */
  readonly reason: 'none' | 'too_many' | 'not_a_signing_key'
}

/** The body is neither bytes nor text, usually because a framework has parsed the JSON already. */
export interface BodyNotRaw {
  readonly code: 'body_not_raw'
  /** What was passed instead, for example `Object`. */
  readonly received: string
}

/** The id to sign is empty or has a character outside `A-Z a-z 0-9 _ -`. Thrown by `sign`. */
export interface InvalidId {
  readonly code: 'invalid_id'
}

/** The timestamp to sign is not a whole number of Unix seconds between 0 and 99,999,999,999. Thrown by `sign`. */
export interface InvalidTimestamp {
  readonly code: 'invalid_timestamp'
}

/** `now` is no valid `Date`. Thrown by `verify`. */
export interface InvalidNow {
  readonly code: 'invalid_now'
}

/** `toleranceSeconds` is no whole number from 0 up; it cannot be switched off. Thrown by `verify`. */
export interface InvalidTolerance {
  readonly code: 'invalid_tolerance'
}

/** The source of randomness did not give as many bytes as asked. Thrown by `generateSecret` and `generateKeyPair`. */
export interface InvalidRandomBytes {
  readonly code: 'invalid_random_bytes'
}

/** What is wrong with the call. */
export type ArgumentFailure =
  | InvalidSecret
  | InvalidKey
  | InvalidKeys
  | BodyNotRaw
  | InvalidId
  | InvalidTimestamp
  | InvalidNow
  | InvalidTolerance
  | InvalidRandomBytes
export type ArgumentCode = ArgumentFailure['code']

/** The request is not to be trusted. Each member of `VerificationFailure` says what is known when it is thrown. */
export class WebhookVerificationError extends Error {
  override readonly name = 'WebhookVerificationError'
  readonly code: VerificationCode
  readonly failure: VerificationFailure

  constructor(failure: VerificationFailure) {
    super(verificationMessage(failure))
    this.code = failure.code
    this.failure = failure
  }
}

/** The call is wrong, whatever the request: mend the code or the configuration. */
export class WebhookArgumentError extends Error {
  override readonly name = 'WebhookArgumentError'
  readonly code: ArgumentCode
  readonly failure: ArgumentFailure

  constructor(failure: ArgumentFailure) {
    super(argumentMessage(failure))
    this.code = failure.code
    this.failure = failure
  }
}

function verificationMessage(failure: VerificationFailure): string {
  switch (failure.code) {
    case 'missing_header':
      return `the header ${failure.header} is missing or empty`
    case 'invalid_header':
      return `the header ${failure.header} is malformed (${failure.reason})`
    case 'unsupported_scheme':
      return `the header webhook-signature holds no signature of a scheme with a key here, only ${failure.schemes.join(', ')}`
    case 'no_matching_signature':
      return 'no signature fits: the key is another one, or the body is not byte for byte what was sent'
    case 'timestamp_too_old':
      return `signed ${failure.ageSeconds} s ago, more than the ${failure.toleranceSeconds} s allowed`
    case 'timestamp_too_new':
      return `signed ${failure.aheadSeconds} s in the future, more than the ${failure.toleranceSeconds} s allowed`
  }
}

function argumentMessage(failure: ArgumentFailure): string {
  switch (failure.code) {
    case 'invalid_secret':
      return `not a webhook secret: whsec_ and the base64 of 24 to 64 bytes expected (${failure.reason})`
    case 'invalid_key':
      return `not a key of the scheme v1a: whsk_ or whpk_ and padded base64 expected (${failure.reason})`
    case 'invalid_keys':
      return `between 1 and 10 keys from parseSecret, parsePrivateKey or parsePublicKey expected (${failure.reason})`
    case 'body_not_raw':
      return `the raw request body expected as Uint8Array or string, not ${failure.received}: take it before it is parsed`
    case 'invalid_id':
      return 'the id must be one or more of A-Z a-z 0-9 _ -'
    case 'invalid_timestamp':
      return 'the timestamp must be a whole number of Unix seconds'
    case 'invalid_now':
      return 'now must be a valid Date'
    case 'invalid_tolerance':
      return 'toleranceSeconds must be a whole number from 0 up'
    case 'invalid_random_bytes':
      return 'the source of randomness gave another number of bytes than asked'
  }
}
