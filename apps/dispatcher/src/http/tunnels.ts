/**
 * Tunnels through the operator's proxy (CONNECT, RFC 9110 §9.3.6), for https and http alike, and whose fault it is when
 * there is none.
 *
 * What the proxy does wrong is ours: `egress_proxy_failed`, which is told apart from what it says of the receiver. It says
 * that in one of these ways, in this order:
 *
 * - `Proxy-Status` (RFC 9209) or Squid's `X-Squid-Error` name the error. They are believed.
 * - 403: the operator's proxy does not allow the address, which is as if the guard did not.
 * - 502, 504, and no answer at all in time: by RFC 9110 these speak of the other side of the proxy, but a proxy that is
 *   broken, or a balancer in front of it, says the same. They are the receiver's if the proxy has been seen to work, and
 *   ours if not: see `createEvidence`.
 * - Everything else is ours: 407, 503 (which speaks of the proxy itself), what is not HTTP, and a connection that the
 *   proxy refuses or closes.
 */
import { isIP, connect as netConnect, type Socket } from 'node:net'
import { type SecureContext, connect as tlsConnect } from 'node:tls'
import type { FailureCode } from '@posthorn/contract'
import type { EgressProxy } from '@posthorn/engine'
import { ConnectError, type Failure } from './failure-codes.ts'

/** An answer to CONNECT has no use for more. */
const headBytesMax = 16 * 1024
/** For so long a tunnel shows that the proxy works, in milliseconds. */
const evidenceMs = 60_000

export type TunnelTarget = { readonly hostname: string; readonly port: number }

export type Tunnels = {
  /**
   * Opens a tunnel.
   *
   * @param address what the proxy is to connect to: an address, or a name that it resolves
   * @param progress told of the socket, and of the moment from which on the proxy is asked
   * @throws TunnelRefused when the proxy may not have reached the address; ConnectError when the proxy itself has failed
   */
  open(target: TunnelTarget, address: string, progress: Progress): Promise<Socket>
  /** What it counts as that the proxy has not answered in time; `failure` is what it is for the receiver. */
  unanswered(target: TunnelTarget, failure: Failure): Failure
}

/** There is no tunnel to this address, whoever is to blame. Another one of the receiver may do better. */
export class TunnelRefused extends ConnectError {}

export type Progress = { onSocket(socket: Socket): void; onAsked(): void }

export type TunnelOptions = {
  /** For TLS with the proxy itself. */
  readonly secureContext: SecureContext
  monotonicMs(): number
}

export function createTunnels(proxy: EgressProxy, { secureContext, monotonicMs }: TunnelOptions): Tunnels {
  const evidence = createEvidence(monotonicMs)

  function reach(): Socket {
    const where = { host: proxy.hostname, port: proxy.port }
    if (!proxy.secure) return netConnect(where)
    const servername = isIP(proxy.hostname) === 0 ? { servername: proxy.hostname } : {}
    return tlsConnect({ ...where, ...servername, secureContext, ALPNProtocols: ['http/1.1'] })
  }

  function judged({ hostname }: TunnelTarget, failure: Failure, what: string): Failure {
    return evidence.blame(hostname) === 'receiver' ? failure : proxyFailed(what)
  }

  return {
    async open(target, address, { onSocket, onAsked }) {
      const socket = reach()
      onSocket(socket)
      const head = await ask(socket, {
        ready: proxy.secure ? 'secureConnect' : 'connect',
        request: connectRequest(proxy, address, target.port),
        onAsked,
      })
      if (head.status >= 200 && head.status < 300) {
        evidence.tunnelOpened(target.hostname)
        return socket
      }
      socket.destroy()
      const { failure, isCertain } = failureOfRefusal(head)
      if (!isCertain) throw new TunnelRefused(judged(target, failure, `It answered ${head.status} to CONNECT.`))
      throw failure.code === 'egress_proxy_failed' ? new ConnectError(failure) : new TunnelRefused(failure)
    },
    unanswered: (target, failure) => judged(target, failure, 'It did not answer to CONNECT in time.'),
  }
}

/**
 * Decides what an ambiguous failure of a tunnel counts as. It is the receiver's if the proxy has opened a tunnel to
 * another host in the last minute, and no tunnel to yet another one has failed since. So a receiver that is down is found
 * out while others are reached, and a proxy that is down is blamed on one receiver at the most.
 */
export function createEvidence(monotonicMs: () => number) {
  const opened = createLatest()
  const failed = createLatest()
  return {
    tunnelOpened(hostname: string): void {
      opened.note(hostname, monotonicMs())
    },
    /** An ambiguous failure to reach a host. Answers whose it is, and remembers it. */
    blame(hostname: string): 'receiver' | 'proxy' {
      const nowMs = monotonicMs()
      const openedMs = opened.ofOthers(hostname)
      failed.note(hostname, nowMs)
      const works = openedMs > nowMs - evidenceMs && failed.ofOthers(hostname) < openedMs
      return works ? 'receiver' : 'proxy'
    },
  }
}

/** When something was last seen of any host but one. */
function createLatest() {
  let latest = { hostname: '', ms: Number.NEGATIVE_INFINITY }
  let before = latest
  return {
    note(hostname: string, ms: number): void {
      if (latest.hostname !== hostname) before = latest
      latest = { hostname, ms }
    },
    ofOthers: (hostname: string): number => (latest.hostname === hostname ? before.ms : latest.ms),
  }
}

function connectRequest({ authorization }: EgressProxy, address: string, port: number): string {
  const authority = isIP(address) === 6 ? `[${address}]:${port}` : `${address}:${port}`
  const credentials = authorization === null ? '' : `proxy-authorization: ${authorization}\r\n`
  return `CONNECT ${authority} HTTP/1.1\r\nhost: ${authority}\r\n${credentials}\r\n`
}

type Head = { readonly status: number; readonly proxyStatus: string; readonly squidError: string }

/** Asks once the proxy is reached, and reads the head of its answer; nothing behind it is taken from the socket. */
function ask(
  socket: Socket,
  { ready, request, onAsked }: { ready: string; request: string; onAsked: () => void },
): Promise<Head> {
  return new Promise((resolve, reject) => {
    const read: Buffer[] = []
    let bytes = 0
    const settle = (end: Head | Failure) => {
      socket.off(ready, begin).off('readable', take).off('error', broken).off('close', broken)
      if ('status' in end) {
        resolve(end)
        return
      }
      socket.destroy()
      reject(new ConnectError(end))
    }
    const begin = () => {
      onAsked()
      socket.write(request, 'latin1')
    }
    const take = () => {
      for (let chunk: Buffer | null = socket.read(); chunk !== null; chunk = socket.read()) {
        read.push(chunk)
        bytes += chunk.length
        const text = Buffer.concat(read).toString('latin1')
        const end = text.indexOf('\r\n\r\n')
        if (end >= 0) {
          // A receiver does not speak first, so what follows a success at once was planted or is a mistake.
          const head = headOf(text.slice(0, end + 2))
          const isClean = head !== null && (head.status >= 300 || end + 4 === text.length)
          settle(isClean ? head : proxyFailed('It did not answer as an HTTP proxy does.'))
          return
        }
        if (bytes > headBytesMax) {
          settle(proxyFailed('It did not answer as an HTTP proxy does.'))
          return
        }
      }
    }
    const broken = (error?: unknown) => settle(proxyFailed(`The connection to it failed${codeIn(error)}.`))
    socket.once(ready, begin).on('readable', take).once('error', broken).once('close', broken)
    // An error that comes when nobody listens any more would end the process.
    socket.on('error', () => undefined)
  })
}

function headOf(text: string): Head | null {
  const status = /^HTTP\/1\.[01] (\d{3})(?: [^\r\n]*)?\r\n/.exec(text)?.[1]
  if (status === undefined || Number(status) < 200) return null
  const header = (name: string) =>
    new RegExp(`^${name}:[ \\t]*([^\\r\\n]*)`, 'im').exec(text.slice(text.indexOf('\n') + 1))?.[1] ?? ''
  return { status: Number(status), proxyStatus: header('proxy-status'), squidError: header('x-squid-error') }
}

type Refusal = { readonly failure: Failure; readonly isCertain: boolean }

/** Errors of RFC 9209 §2.3 that speak of the receiver. All others speak of the proxy. */
const failureByProxyStatus: Readonly<Record<string, FailureCode>> = {
  dns_error: 'dns_not_found',
  dns_timeout: 'dns_not_found',
  destination_unavailable: 'connect_refused',
  destination_ip_prohibited: 'blocked_address',
  destination_ip_unroutable: 'connect_refused',
  connection_refused: 'connect_refused',
  connection_terminated: 'connection_reset',
  connection_timeout: 'connect_timeout',
  connection_read_timeout: 'connect_timeout',
  connection_write_timeout: 'connect_timeout',
  http_request_denied: 'blocked_address',
}

/** ETIMEDOUT of Linux, which Squid tells by its number. */
const timedOutNumber = '110'

function failureOfRefusal({ status, proxyStatus, squidError }: Head): Refusal {
  const named = /(?:^|[;,])[ \t]*error[ \t]*=[ \t]*"?([a-z_]+)/i.exec(proxyStatus)?.[1]?.toLowerCase()
  if (named !== undefined) {
    const code = Object.hasOwn(failureByProxyStatus, named) ? failureByProxyStatus[named] : undefined
    return certainly(code === undefined ? proxyFailed(`It answered ${status}, ${named}.`) : receivers(code, status))
  }
  const [squid, number] = squidError.split(' ')
  if (squid === 'ERR_DNS_FAIL') return certainly(receivers('dns_not_found', status))
  if (squid === 'ERR_CONNECT_FAIL') {
    return certainly(receivers(number === timedOutNumber ? 'connect_timeout' : 'connect_refused', status))
  }
  if (status === 403) return certainly(receivers('blocked_address', status))
  if (status === 502) return { failure: receivers('connect_refused', status), isCertain: false }
  if (status === 504) return { failure: receivers('connect_timeout', status), isCertain: false }
  return certainly(
    proxyFailed(
      status === 407
        ? 'It does not accept our credentials (407): check POSTHORN_EGRESS_PROXY.'
        : `It answered ${status} to CONNECT.`,
    ),
  )
}

function certainly(failure: Failure): Refusal {
  return { failure, isCertain: true }
}

const receiverSentences: Readonly<Partial<Record<FailureCode, string>>> = {
  dns_not_found: 'The egress proxy could not resolve the host name. Check its spelling and its DNS records.',
  blocked_address: 'The egress proxy does not allow connections to this receiver.',
  connect_timeout: 'The receiver did not accept the connection of the egress proxy in time. Check its firewall.',
  connection_reset: 'The receiver closed the connection of the egress proxy while it was being made.',
}

function receivers(code: FailureCode, status: number): Failure {
  const sentence =
    receiverSentences[code] ?? 'The egress proxy could not connect to the receiver. Check that it is running.'
  return { code, detail: `${sentence} The proxy answered ${status}.` }
}

/** A fault of ours. The sentence is for the operator; it holds no address. */
export function proxyFailed(what: string): Failure {
  return {
    code: 'egress_proxy_failed',
    detail: `The egress proxy of this installation failed; the receiver is not at fault. ${what}`,
  }
}

function codeIn(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? ` (${error.code})` : ''
}
