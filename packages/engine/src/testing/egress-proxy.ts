/**
 * An egress proxy for tests: it tunnels what it is asked for by CONNECT, on real sockets of 127.0.0.1, or does what it is
 * told instead. Whatever host it is asked for, it connects to this machine.
 */
import { connect, createServer, type Socket } from 'node:net'
import { createServer as createTlsServer, type TlsOptions } from 'node:tls'

export type TunnelRequest = {
  /** The host and port that were asked for, as they were written. */
  authority: string
  /** The whole head, as latin1. */
  head: string
}

/** To tunnel, to say nothing, to end or to reset the connection, or to send these bytes. */
export type TunnelAnswer = 'tunnel' | 'silence' | 'end' | 'reset' | { bytes: string }

export type TestEgressProxy = AsyncDisposable & {
  readonly port: number
  /** `http://127.0.0.1:<port>`, or `https://localhost:<port>` */
  readonly url: string
  readonly requests: readonly TunnelRequest[]
  /** What went through all tunnels, towards receivers, as latin1. */
  readonly carried: string
  /** How the next requests are answered. */
  answer: (request: TunnelRequest) => TunnelAnswer
  /** Ends every connection. */
  drop(): void
  /** Resolves when every connection so far is closed. */
  allClosed(): Promise<void>
  close(): Promise<void>
}

export async function startEgressProxy(tls?: TlsOptions): Promise<TestEgressProxy> {
  const requests: TunnelRequest[] = []
  const sockets: Socket[] = []
  let carried = ''
  let answer: TestEgressProxy['answer'] = () => 'tunnel'

  const accept = (socket: Socket) => {
    sockets.push(socket)
    socket.on('error', () => undefined)
    let text = ''
    const read = (chunk: Buffer) => {
      text += chunk.toString('latin1')
      const end = text.indexOf('\r\n\r\n')
      if (end < 0) return
      socket.off('data', read)
      const request = { authority: /^CONNECT (\S+) HTTP\/1\.1\r\n/.exec(text)?.[1] ?? '', head: text.slice(0, end + 4) }
      requests.push(request)
      react(socket, request)
    }
    socket.on('data', read)
  }

  function react(socket: Socket, request: TunnelRequest): void {
    const wanted = answer(request)
    if (wanted === 'tunnel') tunnel(socket, Number(request.authority.split(':').at(-1)))
    else if (wanted === 'end') socket.end()
    else if (wanted === 'reset') socket.resetAndDestroy()
    else if (wanted !== 'silence') socket.write(wanted.bytes)
  }

  function tunnel(socket: Socket, port: number): void {
    const other = connect(port, '127.0.0.1')
    sockets.push(other)
    other.on('error', () => socket.destroy())
    other.once('connect', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
      socket.on('data', (chunk) => {
        carried += chunk.toString('latin1')
      })
      socket.pipe(other).pipe(socket)
    })
    socket.once('close', () => other.destroy())
    other.once('close', () => socket.destroy())
  }

  const server = tls === undefined ? createServer(accept) : createTlsServer(tls, accept)
  server.on('tlsClientError', () => undefined)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const drop = () => {
    for (const socket of sockets) socket.destroy()
  }
  const close = () => {
    drop()
    return new Promise<void>((resolve) => server.close(() => resolve()))
  }
  return {
    port,
    url: tls === undefined ? `http://127.0.0.1:${port}` : `https://localhost:${port}`,
    requests,
    get carried() {
      return carried
    },
    get answer() {
      return answer
    },
    set answer(given) {
      answer = given
    },
    drop,
    allClosed: async () => {
      await Promise.all(sockets.map(closed))
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.closed) resolve()
    else socket.once('close', () => resolve())
  })
}
