/**
 * Sends one HTTP request to a receiver that cannot be trusted, and says what came of it.
 *
 * `send` returns an outcome for whatever the receiver does, within the deadline and with bounded memory, and rejects only
 * for a mistake of ours. The deadline covers everything from resolving the host to the last byte read. The URL is judged
 * by the address guard before anything happens, and the addresses when a connection is opened (`connect.ts`).
 * Connections are kept and shared by all requests to an origin, except that a TLS identity has its own. What an answer is
 * worth is in `exchange.ts`.
 */
import type { AddressPolicy, EgressProxy, Resolve } from '@posthorn/engine'
import { parseCallbackUrl } from '@posthorn/engine'
import { createTlsContext } from './connect.ts'
import { Exchange } from './exchange.ts'
import { abortedAttempt } from './failure-codes.ts'
import { createPool } from './pool.ts'
import { type SendOutcome, unsent } from './send-outcome.ts'
import type { TlsIdentity } from './tls-identities.ts'
import { createTunnels } from './tunnels.ts'

export type { SendOutcome, Timings } from './send-outcome.ts'

const connectTimeoutMsDefault = 5_000
/** Callback URLs that are remembered as judged. Each costs about 1 KiB. */
const judgedUrlsMax = 10_000

export type OutgoingRequest = {
  readonly url: string
  /** Without `host` and `content-length`, which follow from the URL and the body. */
  readonly headers: Record<string, string>
  readonly body: string
  /** Limit for the whole attempt, in milliseconds. */
  readonly timeoutMs: number
  /** With what the connection is made, where that is not the same for all. */
  readonly identity?: TlsIdentity | undefined
}

export type Sender = {
  /**
   * @param signal gives the attempt up (`aborted`). One signal may be shared by any number of requests
   * @throws only for our own mistakes: an unusable header, a sender that was closed
   */
  send(request: OutgoingRequest, signal?: AbortSignal): Promise<SendOutcome>
  /** Waits for the requests in flight (each ends by its deadline), then closes the connections. */
  close(): Promise<void>
}

export type SenderOptions = {
  readonly policy: AddressPolicy
  readonly resolve: Resolve
  /** Limit for resolving, TCP connect and TLS handshake together; 5 s by default. */
  readonly connectTimeoutMs?: number
  /** Certificate authorities (PEM) to be trusted beside those of the system. */
  readonly trustedCertificates?: readonly string[]
  /** The operator's proxy that every request leaves through. */
  readonly proxy?: EgressProxy | undefined
  /** A clock for durations; `performance.now` by default. */
  readonly monotonicMs?: () => number
}

export function createSender(options: SenderOptions): Sender {
  if (options.policy.namesLeftToProxy && options.proxy === undefined) {
    throw new Error('names are left to an egress proxy, and there is none')
  }
  const monotonicMs = options.monotonicMs ?? (() => performance.now())
  const secureContext = createTlsContext(options.trustedCertificates ?? [])
  const { proxy } = options
  const connecting = {
    policy: options.policy,
    resolve: options.resolve,
    connectTimeoutMs: options.connectTimeoutMs ?? connectTimeoutMsDefault,
    secureContext,
    tunnels: proxy === undefined ? undefined : createTunnels(proxy, { secureContext, monotonicMs }),
    monotonicMs,
  }
  const pool = createPool(connecting)
  const judge = rememberingJudge(options.policy)
  const abortable = createAbortGroups()

  async function send(request: OutgoingRequest, signal?: AbortSignal): Promise<SendOutcome> {
    if (pool.closed) throw new SenderClosed()
    const target = judge(request.url)
    if (!target.ok) return unsent({ code: 'blocked_address', detail: target.detail })
    if (signal?.aborted) return unsent(abortedAttempt)

    const { promise, resolve, reject } = Promise.withResolvers<SendOutcome>()
    let client = pool.take(target.origin, { fresh: false, identity: request.identity })
    const dispatch = () => {
      exchange.attach(client.connection)
      const { headers, body } = request
      client.dispatch({ path: target.path, method: 'POST', headers, body }, exchange)
    }
    const exchange = new Exchange({
      timeoutMs: request.timeoutMs,
      monotonicMs,
      sendAgain: () => {
        const closed = client
        // Taken first, so that a pool that is being closed goes on waiting for this request.
        client = pool.take(target.origin, { fresh: true, identity: request.identity })
        pool.discard(closed)
        dispatch()
      },
      settle: (end) => {
        if (signal !== undefined) abortable.remove(signal, exchange)
        if ('outcome' in end && end.reusable) pool.giveBack(client)
        else pool.discard(client)
        if ('outcome' in end) resolve(end.outcome)
        else reject(end.mistake)
      },
    })
    if (signal !== undefined) abortable.add(signal, exchange)
    dispatch()
    return promise
  }

  return { send, close: pool.close }
}

/** A sender was used after it was closed. */
export class SenderClosed extends Error {
  override readonly name = 'SenderClosed'
  readonly code = 'sender_closed'

  constructor() {
    super('this sender was closed and sends nothing more')
  }
}

type Target =
  | { readonly ok: true; readonly origin: string; readonly path: string }
  | { readonly ok: false; readonly detail: string }

/** Judging a URL costs a few microseconds, and the same few URLs come again and again. */
function rememberingJudge(policy: AddressPolicy): (url: string) => Target {
  const judged = new Map<string, Target>()
  return (url) => {
    const known = judged.get(url)
    if (known !== undefined) return known
    if (judged.size >= judgedUrlsMax) judged.clear()
    const target = judgeUrl(url, policy)
    judged.set(url, target)
    return target
  }
}

function judgeUrl(text: string, policy: AddressPolicy): Target {
  const result = parseCallbackUrl(text, policy)
  if (!result.ok) return { ok: false, detail: result.detail }
  const url = new URL(result.url)
  return { ok: true, origin: url.origin, path: url.pathname + url.search }
}

/** One listener for each signal: adding one for each request takes time in proportion to the requests in flight. */
function createAbortGroups() {
  const groups = new WeakMap<AbortSignal, Set<Exchange>>()
  return {
    add(signal: AbortSignal, exchange: Exchange): void {
      const group = groups.get(signal) ?? new Set()
      if (!groups.has(signal)) {
        groups.set(signal, group)
        signal.addEventListener('abort', () => abortAll(group), { once: true })
      }
      group.add(exchange)
    },
    remove(signal: AbortSignal, exchange: Exchange): void {
      groups.get(signal)?.delete(exchange)
    },
  }
}

function abortAll(group: ReadonlySet<Exchange>): void {
  for (const exchange of [...group]) exchange.abort()
}
