/**
 * Access tokens for receivers that want one (OAuth 2.0 client credentials, RFC 6749 §4.4): fetched, kept for their
 * lifetime, and shared by the attempts of a subscription.
 *
 * A token URL is given by a tenant and as foreign as a callback URL, so it is called by the same sender: guarded
 * addresses, no redirects, at most 16 KiB of an answer, a limit on the time. Of its answer nothing is stored or shown but
 * the status, and the error if it is one of the specification's. There is one request for a token at a time for each
 * subscription; whoever needs the token meanwhile waits for that one.
 *
 * Tokens are in memory only. Another dispatcher, and the next process, fetch their own.
 */
import type { FailureCode, Uuid } from '@posthorn/contract'
import { type TokenGrant, version } from '@posthorn/engine'
import type { Sender, SendOutcome } from './http/send.ts'

/** Tokens kept, each of at most `tokenLengthMax`: 32 MiB at the very worst. */
const tokensMax = 4_000
const tokenLengthMax = 8 * 1024
/** A token is not used any more when it ends within this time, or within the second half of a shorter life, in milliseconds. */
const marginMs = 30_000
/** How long a token is kept whose issuer does not say how long it lives, and the longest that any is, in milliseconds. */
const lifeMsDefault = 5 * 60_000
const lifeMsMax = 24 * 3_600_000

/** RFC 6750 §2.1 names fewer characters; issuers use all that can be printed. No space, and no line end. */
const tokenForm = /^[!-~]+$/

/** RFC 6749 §5.2. Other words of an issuer are not repeated: they could be anything. */
const knownErrors: ReadonlySet<string> = new Set([
  'invalid_request',
  'invalid_client',
  'invalid_grant',
  'unauthorized_client',
  'unsupported_grant_type',
  'invalid_scope',
])

/** Failures of a request for a token that are not the token URL's: they stay what they are. */
const ownFailures: ReadonlySet<FailureCode> = new Set(['aborted', 'internal_error', 'egress_proxy_failed'])

export type TokenFailure = { readonly code: FailureCode; readonly detail: string }

/** `kept`: it was fetched for an earlier attempt, so the receiver may know it no more. */
export type TokenAnswer = { readonly token: string; readonly kept: boolean } | { readonly failure: TokenFailure }

export type Tokens = {
  /**
   * A token, kept or fetched. Never rejects for what a token URL does.
   *
   * @param waitMs how long the caller can wait; the request for the token may go on, for others and the next time
   * @param timeoutMs limit for the request, when one is made
   */
  get(grant: TokenGrant, limits: { waitMs: number; timeoutMs: number }, signal: AbortSignal): Promise<TokenAnswer>
  /** The receiver refused this token: it is not used again. */
  drop(grant: TokenGrant, token: string): void
}

type Token = { readonly token: string; readonly expiresMs: number }
type Fetched = Token | { readonly failure: TokenFailure }
type Entry = { readonly sealed: Uint8Array; token: Token | null; flight: Promise<Fetched> | null }

export function createTokens(sender: Sender, monotonicMs: () => number): Tokens {
  const entries = new Map<Uuid, Entry>()

  /** What is known for these very credentials. Others that the subscription had before are forgotten. */
  function entryOf({ subscriptionId, sealed }: TokenGrant): Entry {
    const known = entries.get(subscriptionId)
    const entry = known !== undefined && same(known.sealed, sealed) ? known : { sealed, token: null, flight: null }
    // Deleting and setting again moves it to the young end of the map.
    entries.delete(subscriptionId)
    entries.set(subscriptionId, entry)
    const oldest = entries.keys().next()
    if (entries.size > tokensMax && !oldest.done) entries.delete(oldest.value)
    return entry
  }

  async function fly(entry: Entry, grant: TokenGrant, timeoutMs: number, signal: AbortSignal): Promise<Fetched> {
    entry.token = null
    try {
      // The life of a token is counted from before it was asked for: it never seems longer than it is.
      const askedMs = monotonicMs()
      const fetched = tokenIn(
        await sender.send({ url: grant.tokenUrl, ...tokenRequest(grant), timeoutMs }, signal),
        askedMs,
      )
      if ('token' in fetched) entry.token = fetched
      return fetched
    } finally {
      entry.flight = null
    }
  }

  return {
    async get(grant, { waitMs, timeoutMs }, signal) {
      const entry = entryOf(grant)
      if (entry.token !== null && entry.token.expiresMs > monotonicMs()) return { token: entry.token.token, kept: true }
      entry.flight ??= fly(entry, grant, timeoutMs, signal)
      const fetched = await inTime(entry.flight, waitMs)
      return 'token' in fetched ? { token: fetched.token, kept: false } : fetched
    },
    drop({ subscriptionId }, token) {
      const entry = entries.get(subscriptionId)
      if (entry?.token?.token === token) entry.token = null
    },
  }
}

async function inTime(flight: Promise<Fetched>, timeoutMs: number): Promise<Fetched> {
  const { promise, resolve } = Promise.withResolvers<Fetched>()
  const timer = setTimeout(() => resolve(tooLate(timeoutMs)), timeoutMs)
  try {
    return await Promise.race([flight, promise])
  } finally {
    clearTimeout(timer)
    // Should nobody wait for it any more, its end is nobody's concern.
    flight.catch(() => undefined)
  }
}

function tokenIn(outcome: SendOutcome, askedMs: number): Fetched {
  if (outcome.failureCode !== null) return { failure: failureOf(outcome) }
  if (outcome.responseTruncated) return refused('is too long or broken off')
  const answer = objectIn(outcome.responseBody)
  if (answer === null) return refused('is no JSON object')
  const { access_token: token, token_type: type, expires_in: expiresIn } = answer
  if (typeof token !== 'string' || !tokenForm.test(token)) return refused('has no usable access_token')
  if (token.length > tokenLengthMax) return refused(`has an access_token of more than ${tokenLengthMax} characters`)
  if (typeof type !== 'string' || type.toLowerCase() !== 'bearer') return refused('has no token_type "Bearer"')
  const lifeMs = lifeMsOf(expiresIn)
  return { token, expiresMs: askedMs + lifeMs - Math.min(marginMs, lifeMs / 2) }
}

/** RFC 6749 §4.4.2, §2.3.1: in the header, id and secret are form-encoded before they are joined. */
function tokenRequest(grant: TokenGrant): { headers: Record<string, string>; body: string } {
  const { clientId, clientSecret } = grant
  const inBody = grant.clientAuthentication === 'client_secret_post'
  const body = new URLSearchParams({
    grant_type: 'client_credentials',
    ...(grant.scope === null ? {} : { scope: grant.scope }),
    ...(grant.audience === null ? {} : { audience: grant.audience }),
    ...(inBody ? { client_id: clientId, client_secret: clientSecret } : {}),
  })
  const basic = Buffer.from(`${formEncoded(clientId)}:${formEncoded(clientSecret)}`).toString('base64')
  return {
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      accept: 'application/json',
      'user-agent': `Posthorn/${version}`,
      ...(inBody ? {} : { authorization: `Basic ${basic}` }),
    },
    body: body.toString(),
  }
}

function formEncoded(text: string): string {
  return new URLSearchParams({ '': text }).toString().slice(1)
}

function objectIn(body: Uint8Array): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
    return value !== null && typeof value === 'object' && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value))
      : null
  } catch {
    return null
  }
}

/** Some issuers write the number as a text. What is no positive number of seconds is no life: the token is used once. */
function lifeMsOf(expiresIn: unknown): number {
  if (expiresIn === undefined || expiresIn === null) return lifeMsDefault
  const seconds = typeof expiresIn === 'string' && /^\d+$/.test(expiresIn) ? Number(expiresIn) : expiresIn
  if (typeof seconds !== 'number' || !(seconds > 0)) return 0
  return Math.min(seconds * 1000, lifeMsMax)
}

function failureOf({ status, failureCode, failureDetail, responseBody }: SendOutcome): TokenFailure {
  if (failureCode !== null && ownFailures.has(failureCode)) return { code: failureCode, detail: failureDetail ?? '' }
  if (status === null) {
    return authFailed(
      `The token URL could not be used (${failureCode}). Check auth.token_url and the server behind it.`,
    )
  }
  const error = objectIn(responseBody)?.['error']
  const word = typeof error === 'string' && knownErrors.has(error) ? ` ${error}` : ''
  return authFailed(
    `The token URL answered ${status}${word}. Check auth.client_id, auth.client_secret and auth.scope, and the log of the issuer.`,
  )
}

function refused(what: string): Fetched {
  return { failure: authFailed(`The answer of the token URL ${what}. It must be as RFC 6749 §5.1 has it.`) }
}

function tooLate(limitMs: number): Fetched {
  return {
    failure: authFailed(
      `The token URL did not answer within what was left of the time-out (${Math.round(limitMs) / 1000} s).`,
    ),
  }
}

function authFailed(detail: string): TokenFailure {
  return { code: 'auth_failed', detail }
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}
