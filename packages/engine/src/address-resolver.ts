/**
 * Looks host names up in the DNS: A and AAAA side by side, with a limit on the time and on the number of addresses.
 *
 * It asks the name servers itself (c-ares) and does not use the system's `getaddrinfo`, which would occupy one of the
 * process's few pool threads for as long as a name server is silent. In consequence **`/etc/hosts` is not read** and
 * search domains are not tried; name servers are those of `/etc/resolv.conf` at the time the resolver is made.
 * `localhost` answers with the loopback addresses (RFC 6761 §6.3) and is left to the address guard.
 *
 * Nothing is cached: whoever keeps connections alive asks seldom, and a name with a lifetime of zero is asked anew.
 */
import { Resolver } from 'node:dns'

/**
 * Finds the addresses of a host name.
 *
 * @returns at least one address, IPv4 first
 * @throws AddressLookupError when there is none, or when nobody answers
 * @throws the reason of `signal` when that aborts first
 */
export type Resolve = (hostname: string, signal: AbortSignal) => Promise<readonly string[]>

/** `DNS_NOT_FOUND`: there is no such name or it has no address. The others: we do not know, the name servers failed. */
export type AddressLookupCode = 'DNS_NOT_FOUND' | 'DNS_UNAVAILABLE' | 'DNS_TIMEOUT'

/** A host name without a usable answer. Deliberately without `cause`: c-ares uses the codes of sockets for its own troubles. */
export class AddressLookupError extends Error {
  override readonly name = 'AddressLookupError'
  readonly code: AddressLookupCode

  constructor(code: AddressLookupCode) {
    super(code)
    this.code = code
  }
}

const lookupTimeoutMs = 5_000
const addressesMax = 32
/** One question to one name server. Short, so that a second server still gets its turn within the limit. */
const queryTimeoutMs = 1_500
const queryTriesMax = 3
/** How long a family without an answer may hold up the other one, which has one (the idea of RFC 8305 §3). */
const otherFamilyWaitMs = 250

/** c-ares codes that say for certain: no such name, or no record of this type. */
const absentCodes = new Set(['ENOTFOUND', 'ENODATA', 'EBADNAME'])

/**
 * @param options.timeoutMs limit for one lookup, all questions and servers together; 5 s by default
 * @param options.servers name servers (`ip` or `ip:port`) to ask in place of the system's
 */
export function createResolver(options: { timeoutMs?: number; servers?: readonly string[] } = {}): Resolve {
  const resolver = new Resolver({ timeout: queryTimeoutMs, tries: queryTriesMax })
  if (options.servers !== undefined) resolver.setServers(options.servers)
  const timeoutMs = options.timeoutMs ?? lookupTimeoutMs
  return async (hostname, signal) => {
    if (hostname === 'localhost' || hostname.endsWith('.localhost')) return ['127.0.0.1', '::1']
    return lookUp(resolver, hostname, { timeoutMs, signal })
  }
}

/** What one family's question came to: addresses, or the code of the error. */
type Answer = readonly string[] | AddressLookupCode

function lookUp(
  resolver: Resolver,
  hostname: string,
  { timeoutMs, signal }: { timeoutMs: number; signal: AbortSignal },
): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason)
      return
    }
    const answers: { v4?: Answer; v6?: Answer } = {}
    const finish = () => {
      release()
      const addresses = [answers.v4, answers.v6].flatMap((answer) => (Array.isArray(answer) ? answer : []))
      if (addresses.length > 0) resolve(addresses.slice(0, addressesMax))
      else reject(new AddressLookupError(failureOf(answers)))
    }
    const abandon = () => {
      release()
      reject(signal.reason)
    }
    // The question itself cannot be taken back without taking back everybody's; c-ares ends it by its own limits.
    let timer = setTimeout(finish, timeoutMs)
    let settled = false
    const release = () => {
      settled = true
      clearTimeout(timer)
      signal.removeEventListener('abort', abandon)
    }
    signal.addEventListener('abort', abandon, { once: true })

    const receive = (family: 'v4' | 'v6', answer: Answer) => {
      if (settled) return
      answers[family] = answer
      if (answers.v4 !== undefined && answers.v6 !== undefined) finish()
      else if (Array.isArray(answer)) {
        clearTimeout(timer)
        timer = setTimeout(finish, Math.min(otherFamilyWaitMs, timeoutMs))
      }
    }
    resolver.resolve4(hostname, (error, addresses) => receive('v4', answerOf(error, addresses)))
    resolver.resolve6(hostname, (error, addresses) => receive('v6', answerOf(error, addresses)))
  })
}

/** An alias of a name without addresses is no error to c-ares, and no answer to us. */
function answerOf(error: NodeJS.ErrnoException | null, addresses: readonly string[]): Answer {
  if (error !== null) return codeOf(error)
  return addresses.length === 0 ? 'DNS_NOT_FOUND' : addresses
}

function codeOf(error: NodeJS.ErrnoException): AddressLookupCode {
  if (absentCodes.has(error.code ?? '')) return 'DNS_NOT_FOUND'
  return error.code === 'ETIMEOUT' ? 'DNS_TIMEOUT' : 'DNS_UNAVAILABLE'
}

/** "Not found" only if both families say so: a silent or failing server proves nothing. */
function failureOf({ v4, v6 }: { v4?: Answer; v6?: Answer }): AddressLookupCode {
  if (v4 === undefined || v6 === undefined) return 'DNS_TIMEOUT'
  if (v4 === 'DNS_NOT_FOUND' && v6 === 'DNS_NOT_FOUND') return 'DNS_NOT_FOUND'
  return v4 === 'DNS_TIMEOUT' || v6 === 'DNS_TIMEOUT' ? 'DNS_TIMEOUT' : 'DNS_UNAVAILABLE'
}
