/**
 * Opens the connections that requests are sent over. Nothing else in Posthorn connects to a callback URL.
 *
 * The host is resolved once for each connection, every address is judged by the guard, and only those very addresses
 * are connected to: what a name resolves to a moment later has no influence. After the TCP connect the address of the
 * other end is judged again. IP literals take the same way (a `lookup` hook, the usual place for a guard, is never asked
 * about them). Proxy variables of the environment are not read. With an egress proxy, which is a setting, the same is
 * judged, and the proxy is told an address that passed and not a name; unless the setting leaves names to the proxy.
 *
 * TLS: at least 1.2, always verified, HTTP/1.1 only. Sessions are not resumed, because a resumed session would not look
 * at the receiver's certificate again.
 */
import type { Socket } from 'node:net'
import { isIP, connect as netConnect } from 'node:net'
import type { SecureContext } from 'node:tls'
import { createSecureContext, getCACertificates, connect as tlsConnect } from 'node:tls'
import type { AddressPolicy, CallbackUrlRefusal, Resolve, TlsSettings } from '@posthorn/engine'
import { checkResolved, resolveCallbackHost } from '@posthorn/engine'
import type { buildConnector } from 'undici'
import type { Failure, Phase } from './failure-codes.ts'
import { ConnectError, failureOfDeadline } from './failure-codes.ts'
import { type AnswerMeter, meterAnswers, newAnswerMeter } from './metering.ts'
import { TunnelRefused, type Tunnels } from './tunnels.ts'

const tcpKeepAliveDelayMs = 60_000
const tlsVersionMin = 'TLSv1.2'

/** One connection of the pool. It may be opened again after it was closed; then it starts from the beginning. */
export type Connection = {
  /** What is being done, or `response` once the connection is open. */
  phase: Phase
  /** When its opening began, on the monotonic clock. */
  openedMs: number
  /** Requests written since it was opened. */
  requests: number
  answer: AnswerMeter
  socket: Socket | null
  /** The other end, from the moment it is known. */
  remoteAddress: string | null
  dnsMs: number | null
  connectMs: number | null
  tlsMs: number | null
  /** Ends an opening that nobody waits for any more. Does nothing on an open connection. */
  abandon(reason: Error): void
  /** While an egress proxy is waited for: whose fault it is that the time is over. */
  judgeDeadline: ((failure: Failure) => Failure) | null
}

export function newConnection(): Connection {
  return { ...unopened, answer: newAnswerMeter(), abandon: doNothing }
}

const unopened = {
  phase: 'connect',
  openedMs: 0,
  requests: 0,
  socket: null,
  remoteAddress: null,
  dnsMs: null,
  connectMs: null,
  tlsMs: null,
  judgeDeadline: null,
} satisfies Partial<Connection>

function doNothing(): void {}

export type ConnectOptions = {
  readonly policy: AddressPolicy
  readonly resolve: Resolve
  /** Limit for resolving, TCP connect and TLS handshake together. */
  readonly connectTimeoutMs: number
  readonly secureContext: SecureContext
  /** The egress proxy that all connections go through, if there is one. */
  readonly tunnels: Tunnels | undefined
  monotonicMs(): number
}

/** @param trustedCertificates authorities (PEM) to be trusted beside those of the system */
export function createTlsContext(trustedCertificates: readonly string[]): SecureContext {
  return createSecureContext({ minVersion: tlsVersionMin, ...trusting(trustedCertificates) })
}

/**
 * A context for the connections of one subscription. Its own authorities take the place of those of the system: each is
 * trusted by itself, also one that is not at the root of its chain.
 */
export function createOwnTlsContext({ client, authorities }: TlsSettings, trusted: readonly string[]): SecureContext {
  return createSecureContext({
    minVersion: tlsVersionMin,
    ...(client === null ? {} : { cert: client.certificate, key: client.key }),
    ...(authorities.length === 0 ? trusting(trusted) : { ca: [...authorities], allowPartialTrustChain: true }),
  })
}

/** Without authorities of our own the system's are shared; to list them costs a megabyte and 25 ms a context. */
function trusting(certificates: readonly string[]) {
  return certificates.length === 0 ? {} : { ca: [...getCACertificates('default'), ...certificates] }
}

/** A connector for undici's `Client` that tells in `connection` how far it is. */
export function createConnector(options: ConnectOptions, connection: Connection): buildConnector.connector {
  return ({ hostname, protocol, port }, callback) => {
    const secure = protocol === 'https:'
    const target = { hostname, secure, port: port === '' ? (secure ? 443 : 80) : Number(port) }
    open(options, connection, { target, callback })
  }
}

type Target = { readonly hostname: string; readonly port: number; readonly secure: boolean }

function open(
  options: ConnectOptions,
  connection: Connection,
  { target, callback }: { target: Target; callback: buildConnector.Callback },
): void {
  const { policy, resolve, connectTimeoutMs } = options
  const startedMs = options.monotonicMs()
  Object.assign(connection, unopened, { phase: 'dns', openedMs: startedMs })
  const lookup = new AbortController()
  let finished = false

  const finish = (error: Error | null) => {
    if (finished) return
    finished = true
    clearTimeout(timer)
    connection.abandon = doNothing
    connection.judgeDeadline = null
    if (error === null && connection.socket !== null) {
      connection.phase = 'response'
      callback(null, connection.socket)
      return
    }
    const reason = error ?? closedWhileConnecting()
    lookup.abort(reason)
    connection.socket?.destroy()
    callback(reason, null)
  }
  const expire = () => {
    const failure = failureOfDeadline(connection.phase, connectTimeoutMs)
    finish(new ConnectError(connection.judgeDeadline?.(failure) ?? failure))
  }
  const timer = setTimeout(expire, connectTimeoutMs)
  connection.abandon = finish

  resolveCallbackHost(policy, target, { resolve, signal: lookup.signal })
    .then((verdict) => {
      if (finished) return
      if (!verdict.ok) {
        finish(refusalError(verdict))
        return
      }
      const isResolved = isIP(target.hostname) === 0 && !policy.namesLeftToProxy
      if (isResolved) connection.dnsMs = options.monotonicMs() - startedMs
      const { addresses } = verdict
      if (options.tunnels === undefined) connectTo(options, connection, { target, addresses, finish })
      else {
        const isWanted = () => !finished
        void connectThrough(options.tunnels, options, connection, { target, addresses, finish, isWanted }).catch(finish)
      }
    })
    .catch(finish)
}

function connectTo(
  { policy, secureContext, monotonicMs }: ConnectOptions,
  connection: Connection,
  {
    target,
    addresses,
    finish,
  }: { target: Target; addresses: readonly string[]; finish: (error: Error | null) => void },
): void {
  connection.phase = 'connect'
  const startedMs = monotonicMs()
  const socket = target.secure
    ? tlsConnect({
        ...pinned(target, addresses),
        ...receiverTls(target, secureContext),
      })
    : netConnect(pinned(target, addresses))
  connection.socket = socket
  meterAnswers(socket, connection)
  socket.setNoDelay(true).setKeepAlive(true, tcpKeepAliveDelayMs)

  socket.once('connect', () => {
    connection.connectMs = monotonicMs() - startedMs
    connection.remoteAddress = socket.remoteAddress ?? null
    // Without an address the connection is gone already, and its error is on the way.
    const other =
      connection.remoteAddress === null
        ? null
        : checkResolved(policy, target.hostname, target.port, [connection.remoteAddress])
    if (other?.ok === false) finish(refusalError(other))
    else if (target.secure) connection.phase = 'tls'
    else finish(null)
  })
  socket.once('secureConnect', () => {
    connection.tlsMs = monotonicMs() - startedMs - (connection.connectMs ?? 0)
    finish(null)
  })
  // Both stay: an error that comes when nobody listens any more would end the process.
  socket.on('error', finish)
  socket.once('close', () => finish(closedWhileConnecting()))
}

/**
 * The same through the egress proxy. It is asked for one address after the other, since it tries only what it is told; a
 * proxy that fails by itself is not asked again. TLS is spoken with the receiver, within the tunnel.
 */
async function connectThrough(
  tunnels: Tunnels,
  { secureContext, monotonicMs }: ConnectOptions,
  connection: Connection,
  { finish, ...wanted }: TunnelWanted & { finish: (error: Error | null) => void },
): Promise<void> {
  const { target } = wanted
  const startedMs = monotonicMs()
  const tunnel = await firstTunnel(tunnels, connection, wanted)
  tunnel.setNoDelay(true).setKeepAlive(true, tcpKeepAliveDelayMs)
  connection.connectMs = monotonicMs() - startedMs
  tunnel.on('error', finish)
  tunnel.once('close', () => finish(closedWhileConnecting()))
  if (!target.secure) {
    finish(null)
    return
  }
  connection.phase = 'tls'
  const socket = tlsConnect({ socket: tunnel, ...receiverTls(target, secureContext) })
  connection.socket = socket
  socket.once('secureConnect', () => {
    connection.tlsMs = monotonicMs() - startedMs - (connection.connectMs ?? 0)
    finish(null)
  })
  socket.on('error', finish)
  socket.once('close', () => finish(closedWhileConnecting()))
}

type TunnelWanted = {
  readonly target: Target
  readonly addresses: readonly string[]
  /** Whether somebody still waits for it. */
  isWanted(): boolean
}

async function firstTunnel(tunnels: Tunnels, connection: Connection, wanted: TunnelWanted): Promise<Socket> {
  const { target, isWanted } = wanted
  const [address, ...others] = wanted.addresses
  if (address === undefined) throw closedWhileConnecting()
  connection.phase = 'proxy'
  connection.judgeDeadline = null
  try {
    const tunnel = await tunnels.open(target, address, {
      onSocket(socket) {
        connection.socket = socket
      },
      onAsked() {
        connection.phase = 'tunnel'
        connection.judgeDeadline = (failure) => tunnels.unanswered(target, failure)
      },
    })
    connection.judgeDeadline = null
    // A name is resolved by the proxy, which does not say to what.
    connection.remoteAddress = isIP(address) === 0 ? null : address
    if (isWanted()) return tunnel
    tunnel.destroy()
  } catch (error) {
    if (!(error instanceof TunnelRefused) || others.length === 0 || !isWanted()) throw error
    return firstTunnel(tunnels, connection, { ...wanted, addresses: others })
  }
  throw closedWhileConnecting()
}

function receiverTls({ hostname }: Target, secureContext: SecureContext) {
  return {
    ...(isIP(hostname) === 0 ? { servername: hostname } : {}),
    secureContext,
    ALPNProtocols: ['http/1.1'],
    rejectUnauthorized: true,
  }
}

/** Where to connect: to one address, or to the first of several that answers (RFC 8305). Never to a name. */
function pinned({ hostname, port }: Target, addresses: readonly string[]) {
  const [only, ...others] = addresses
  if (only !== undefined && others.length === 0) return { host: only, port }
  const all = addresses.map((address) => ({ address, family: isIP(address) }))
  return {
    host: hostname,
    port,
    autoSelectFamily: true,
    lookup: (
      _hostname: string,
      _options: unknown,
      callback: (error: null, found: { address: string; family: number }[]) => void,
    ) => callback(null, all),
  }
}

function refusalError({ reason, detail }: CallbackUrlRefusal): ConnectError {
  return new ConnectError({ code: reason === 'unresolvable' ? 'dns_not_found' : 'blocked_address', detail })
}

function closedWhileConnecting(): ConnectError {
  return new ConnectError({
    code: 'connection_reset',
    detail: 'The receiver closed the connection while it was being made. Check the logs of the server or of its proxy.',
  })
}
