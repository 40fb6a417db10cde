/**
 * Credentials that a subscription's requests carry for a receiver that asks for more than the signature: how they are
 * checked, sealed, shown and sent. They are in the clear in three places only: the request that gives them, the memory of
 * the dispatcher while it prepares an attempt, and the request to the receiver.
 */
import {
  type ClientAuthentication,
  type CredentialType,
  type GivenAuth,
  type GivenOAuth2,
  Problem,
  type ShownAuth,
  type Uuid,
} from '@posthorn/contract'
import { headerNameFault } from './custom-headers.ts'
import type { Prisma, Subscription } from './db/generated/client.ts'
import { type Seal, SealError } from './sealing.ts'

/** A hint of four characters is shown of what has at least so many: the rest must stay beyond guessing. */
const hintedLengthMin = 20
const hintLength = 4

const clientAuthenticationDefault: ClientAuthentication = 'client_secret_basic'

/** The columns that keep the credentials. They are all null, or none is. */
export type StoredAuth = {
  authSealed: Uint8Array<ArrayBuffer> | null
  authType: CredentialType | null
  authShown: Prisma.InputJsonObject | null
}

/** Without credentials. */
export const noAuth: StoredAuth = { authSealed: null, authType: null, authShown: null }

/**
 * Checks credentials and seals them for one subscription.
 *
 * @throws Problem `invalid_request` at the place that is wrong; the text of a credential is never in it
 */
export function sealedAuth(given: GivenAuth, subscriptionId: Uuid, seal: Seal): StoredAuth {
  const auth = checked(given)
  const { type, ...shown } = shownOf(auth)
  return {
    authSealed: seal.seal(Buffer.from(JSON.stringify(auth)), contextOf(subscriptionId)),
    authType: type,
    authShown: shown,
  }
}

/** What may be seen of a subscription's credentials; null when it has none. */
export function shownAuth(subscription: Subscription): ShownAuth | null {
  if (subscription.authType === null) return null
  // The columns' CHECKs are held to the lists of words by a test; the object is written above.
  return { type: subscription.authType, ...(subscription.authShown as object) } as ShownAuth
}

/** What a token is fetched with before a request is sent (RFC 6749 §4.4). All of it is secret but the URL. */
export type TokenGrant = {
  subscriptionId: Uuid
  /** The credentials as they are stored: other ones are another grant. */
  sealed: Uint8Array
  tokenUrl: string
  clientId: string
  clientSecret: string
  scope: string | null
  audience: string | null
  clientAuthentication: ClientAuthentication
}

export type OpenedAuth = {
  /** The headers that carry the credentials, which are secrets. */
  headers: Readonly<Record<string, string>>
  /** A token is to be fetched first. */
  grant: TokenGrant | null
}

export const withoutAuth: OpenedAuth = { headers: {}, grant: null }

/**
 * Opens the credentials of a subscription.
 *
 * @throws SealError when they cannot be opened: nothing is sent without them instead
 */
export function openedAuth(sealed: Uint8Array, subscriptionId: Uuid, seal: Seal | undefined): OpenedAuth {
  const context = contextOf(subscriptionId)
  if (seal === undefined)
    throw new SealError('unknown_master_key', `there is no master key for the secret of ${context}`)
  const text = Buffer.from(seal.open(sealed, context)).toString('utf8')
  // Authenticated, so it is what was sealed above.
  const auth = JSON.parse(text) as GivenAuth
  switch (auth.type) {
    case 'basic': {
      const encoded = Buffer.from(`${auth.username}:${auth.password}`).toString('base64')
      return { headers: { authorization: `Basic ${encoded}` }, grant: null }
    }
    case 'bearer':
      return { headers: { authorization: `Bearer ${auth.token}` }, grant: null }
    case 'api_key':
      return { headers: { [auth.header]: auth.value }, grant: null }
    case 'oauth2_client_credentials':
      return { headers: {}, grant: grantOf(auth, subscriptionId, sealed) }
  }
}

function grantOf(auth: GivenOAuth2, subscriptionId: Uuid, sealed: Uint8Array): TokenGrant {
  return {
    subscriptionId,
    sealed,
    tokenUrl: auth.token_url,
    clientId: auth.client_id,
    clientSecret: auth.client_secret,
    scope: auth.scope ?? null,
    audience: auth.audience ?? null,
    clientAuthentication: auth.client_authentication ?? clientAuthenticationDefault,
  }
}

/**
 * The same credentials sealed with the first master key.
 *
 * @throws SealError when they cannot be opened
 */
export function sealedAnew(sealed: Uint8Array, subscriptionId: Uuid, seal: Seal): Uint8Array<ArrayBuffer> {
  const context = contextOf(subscriptionId)
  return seal.seal(seal.open(sealed, context), context)
}

/** The names of the headers that carry a subscription's credentials, which need not be opened for it. */
export function authHeaderNames(subscription: Subscription): string[] {
  const auth = shownAuth(subscription)
  return auth === null ? [] : [auth.header ?? 'authorization']
}

/**
 * Holds the credentials to the custom headers beside them.
 *
 * @throws Problem `invalid_header` when both set the same one
 */
export function refuseSameHeader(headers: Readonly<Record<string, unknown>>, shown: unknown): void {
  const header = shown !== null && typeof shown === 'object' && 'header' in shown ? shown.header : undefined
  if (typeof header !== 'string' || headers[header] === undefined) return
  const detail = 'is given twice: as a custom header and in auth'
  throw new Problem('invalid_header', `headers/${header} ${detail}.`, {
    errors: [{ pointer: `/headers/${header.replaceAll('~', '~0').replaceAll('/', '~1')}`, detail }],
  })
}

/**
 * Credentials belong to the host that they were given for. Whoever may change a subscription but has never known them
 * must not learn them by pointing it at a host of his own, nor act with them there. The same is true of `tls`.
 *
 * @throws Problem `invalid_request` when the URL moves to another origin and the credentials are not given anew
 */
export function refuseToTakeAlong(current: Subscription, url: string, member: 'auth' | 'tls'): void {
  const sealed = member === 'auth' ? current.authSealed : current.tlsSealed
  if (sealed === null || new URL(current.url).origin === new URL(url).origin) return
  throw refused(
    `/${member}`,
    'must be given again, or be null, because the URL moves to another host and credentials do not go with it',
  )
}

/** What the form of the request does not say. */
function checked(given: GivenAuth): GivenAuth {
  if (given.type === 'basic' && given.username === '' && given.password === '') {
    throw refused('/auth', 'has neither a user name nor a password')
  }
  if (given.type !== 'api_key') return given
  const header = given.header.toLowerCase()
  // The schemes of `authorization` are many; the custom headers, which are readable, may not carry it.
  const fault = header === 'authorization' ? undefined : headerNameFault(header)
  if (fault !== undefined) throw refused('/auth/header', fault)
  return { ...given, header }
}

function shownOf(auth: GivenAuth): ShownAuth {
  switch (auth.type) {
    case 'basic':
      // People choose passwords, and choose short ones: no part of one is shown.
      return { type: auth.type, username: auth.username, hint: null }
    case 'bearer':
      return { type: auth.type, hint: hintOf(auth.token) }
    case 'api_key':
      return { type: auth.type, header: auth.header, hint: hintOf(auth.value) }
    case 'oauth2_client_credentials': {
      const { client_secret: secret, ...seen } = auth
      return { client_authentication: clientAuthenticationDefault, ...seen, hint: hintOf(secret) }
    }
  }
}

function hintOf(text: string): string | null {
  return text.length < hintedLengthMin ? null : `…${text.slice(-hintLength)}`
}

/** A sealed credential opens only in the row that it was sealed for. */
function contextOf(subscriptionId: Uuid): string {
  return `subscription:${subscriptionId}:auth`
}

function refused(pointer: string, detail: string): Problem {
  return new Problem('invalid_request', `${pointer.slice(1)} ${detail}.`, { errors: [{ pointer, detail }] })
}
