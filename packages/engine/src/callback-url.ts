/**
 * Decides whether a callback URL may be saved and, each time a connection is made, whether it may be called.
 *
 * At save time `parseCallbackUrl` judges all that the text shows and `resolveCallbackHost` what the name resolves to.
 * A name may resolve differently a second later, so whoever connects resolves once more, checks **every** address with
 * `checkResolved`, and connects to one of those and to no other.
 *
 * The WHATWG parser forgives much (it drops tabs and line ends, reads `http:host`, decodes `①②⑦`), and whatever it
 * forgives another program may read differently. So doubtful spelling is refused before it is parsed, and what is
 * stored, shown and called is the parser's own normalised form.
 *
 * A `detail` is for people and never tells a resolved address: a tenant could map the operator's network with it.
 */
import { isIP } from 'node:net'
import { limits } from '@posthorn/contract'
import type { AddressPolicy } from './address-policy.ts'
import {
  addressAllowed,
  addressBlocked,
  addressVerdict,
  hostAllowedByName,
  hostBlockedByName,
  isHostname,
  portPermitted,
} from './address-policy.ts'
import type { Resolve } from './address-resolver.ts'
import { AddressLookupError } from './address-resolver.ts'

export const callbackUrlReasons = [
  'too_long',
  'invalid_character',
  'not_a_url',
  'scheme',
  'credentials',
  'fragment',
  'port',
  'hostname',
  'blocked_address',
  'unresolvable',
] as const
/** Why a callback URL is refused. */
export type CallbackUrlReason = (typeof callbackUrlReasons)[number]

export type CallbackUrlRefusal = { readonly ok: false; readonly reason: CallbackUrlReason; readonly detail: string }

export type CallbackUrl = {
  readonly ok: true
  /** The normalised form: this is what is stored, shown and called. Names in other scripts appear as punycode. */
  readonly url: string
  /** Host name or address, IPv6 without brackets, to be resolved with `resolveCallbackHost`. */
  readonly hostname: string
  readonly port: number
}

/** Names that mean something only inside a network (RFC 6761, RFC 6762, RFC 8375, and what private networks use). */
const internalDomains = [
  'localhost',
  'localdomain',
  'local',
  'internal',
  'intranet',
  'lan',
  'home.arpa',
  'svc',
  'cluster.local',
  'onion',
]

/**
 * Judges the text of a callback URL, without looking anything up.
 *
 * @param text exactly as it was given
 */
export function parseCallbackUrl(text: string, policy: AddressPolicy): CallbackUrl | CallbackUrlRefusal {
  const misspelt = spellingRefusal(text)
  if (misspelt !== null) return misspelt

  const url = URL.parse(text)
  if (url === null) {
    return refusal('not_a_url', 'This is not a valid URL. Check the host name and the port (1 to 65535).')
  }
  const hostname = url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname.replace(/\.$/, '')
  const port = url.port === '' ? defaultPort(url.protocol) : Number(url.port)
  if (isOwnHost(policy, hostname, port)) {
    return refusal('hostname', 'This URL leads back to this Posthorn installation. Give the address of a receiver.')
  }
  const literal = isIP(hostname) !== 0
  const blocked = literal ? addressBlocked(policy, hostname, port) : hostBlockedByName(policy, hostname, port)
  if (blocked) return blockedAddress()
  const allowed = literal ? addressAllowed(policy, hostname, port) : hostAllowedByName(policy, hostname, port)
  if (!allowed) {
    const forbidden = placeRefusal(policy, { protocol: url.protocol, hostname, port, literal })
    if (forbidden !== null) return forbidden
  }
  if (!literal) url.hostname = hostname
  // Escaping can make the normalised form longer than the given one.
  if (url.href.length > limits.urlLengthMax) return tooLong()
  return { ok: true, url: url.href, hostname, port }
}

/**
 * Judges the addresses that a host resolved to. One bad address condemns the host: whoever mixes them is trying to get
 * a private one through.
 *
 * @param hostname as `parseCallbackUrl` gave it
 */
export function checkResolved(
  policy: AddressPolicy,
  hostname: string,
  port: number,
  addresses: readonly string[],
): { readonly ok: true; readonly addresses: readonly string[] } | CallbackUrlRefusal {
  if (addresses.length === 0) return unresolvable()
  if (hostAllowedByName(policy, hostname, port)) {
    // Any address will do that is one, and is not blocked by the operator too.
    const blocked = addresses.some((address) => isIP(address) === 0 || addressBlocked(policy, address, port))
    return blocked ? blockedAddress() : { ok: true, addresses }
  }
  const blocked = addresses.some((address) => addressVerdict(policy, address, port) === 'blocked')
  return blocked ? blockedAddress() : { ok: true, addresses }
}

/**
 * Resolves a host once and judges every address. An address in place of a name is judged as it is.
 *
 * @returns the addresses, of which one must be connected to, or the refusal (`unresolvable`, `blocked_address`). Where names
 *   are left to the egress proxy, the name itself
 * @throws the reason of `signal` when that aborts
 */
export async function resolveCallbackHost(
  policy: AddressPolicy,
  { hostname, port }: { hostname: string; port: number },
  { resolve, signal }: { resolve: Resolve; signal: AbortSignal },
): Promise<{ readonly ok: true; readonly addresses: readonly string[] } | CallbackUrlRefusal> {
  if (isIP(hostname) !== 0) return checkResolved(policy, hostname, port, [hostname])
  if (policy.namesLeftToProxy) return { ok: true, addresses: [hostname] }
  try {
    return checkResolved(policy, hostname, port, await resolve(hostname, signal))
  } catch (error) {
    if (!(error instanceof AddressLookupError)) throw error
    return error.code === 'DNS_NOT_FOUND' ? unresolvable() : unanswered()
  }
}

/** What can be refused before parsing: see the head of this file. */
function spellingRefusal(text: string): CallbackUrlRefusal | null {
  if (text.length > limits.urlLengthMax) return tooLong()
  // Space, control characters and the backslash, which the parser would drop or turn into a slash.
  if (/[^!-~\u{80}-\u{10ffff}]|\\/u.test(text)) {
    return refusal(
      'invalid_character',
      'The URL contains a space, a control character or a backslash. Remove it, or write it percent-encoded.',
    )
  }
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(text)?.[1]?.toLowerCase()
  if (scheme === undefined) return refusal('not_a_url', 'This is not a URL. Write https:// and the host name.')
  if (scheme !== 'https' && scheme !== 'http') {
    return refusal('scheme', `Events cannot be delivered to ${scheme}: URLs. Use https://.`)
  }
  const authority = /^https?:\/\/([^/?#]+)/i.exec(text)?.[1]
  if (authority === undefined) return refusal('not_a_url', `Write ${scheme}:// followed by the host name.`)
  if (authority.includes('@')) {
    return refusal(
      'credentials',
      'The URL contains a user name or password. Remove it; credentials of a subscription go into its `auth`, of the type `basic`.',
    )
  }
  if (text.includes('#')) {
    return refusal('fragment', 'The URL contains a fragment (#…), which is never sent to a receiver. Remove it.')
  }
  return null
}

/** The rules for receivers that the operator has not allowed by name or address. */
function placeRefusal(
  policy: AddressPolicy,
  place: { protocol: string; hostname: string; port: number; literal: boolean },
): CallbackUrlRefusal | null {
  if (place.protocol === 'http:' && !policy.allowHttp) {
    return refusal('scheme', 'The URL must begin with https://: deliveries over plain http could be read and changed.')
  }
  if (!portPermitted(place.port)) {
    return refusal('port', `Port ${place.port} is not allowed. Use 443, or a port from 1024 on that no database uses.`)
  }
  if (place.literal) return addressVerdict(policy, place.hostname, place.port) === 'ok' ? null : blockedAddress()
  if (!isHostname(place.hostname)) {
    return refusal(
      'hostname',
      'The host name is malformed. Use letters, digits and hyphens, with dots between the parts.',
    )
  }
  if (!place.hostname.includes('.') || internalDomains.some((domain) => isWithin(place.hostname, domain))) {
    return refusal('hostname', 'The host name is not a public one. Use a name that resolves on the Internet.')
  }
  return null
}

function isWithin(hostname: string, domain: string): boolean {
  return hostname === domain || hostname.endsWith(`.${domain}`)
}

function isOwnHost(policy: AddressPolicy, hostname: string, port: number): boolean {
  const host = isIP(hostname) === 6 ? `[${hostname}]` : hostname
  return (policy.ownHosts ?? []).some((own) => {
    const ours = own.toLowerCase().replace(/\.(?=:\d+$|$)/, '')
    return ours === host || ours === `${host}:${port}`
  })
}

function defaultPort(protocol: string): number {
  return protocol === 'https:' ? 443 : 80
}

function tooLong(): CallbackUrlRefusal {
  return refusal('too_long', `The URL is longer than ${limits.urlLengthMax} characters. Shorten it.`)
}

function blockedAddress(): CallbackUrlRefusal {
  return refusal('blocked_address', 'The address of the receiver is not allowed. Use a host with a public address.')
}

function unresolvable(): CallbackUrlRefusal {
  return refusal('unresolvable', 'The host name has no address. Check its spelling and its DNS records.')
}

function unanswered(): CallbackUrlRefusal {
  return refusal('unresolvable', 'The host name could not be resolved: its name servers fail or do not answer.')
}

function refusal(reason: CallbackUrlReason, detail: string): CallbackUrlRefusal {
  return { ok: false, reason, detail }
}
