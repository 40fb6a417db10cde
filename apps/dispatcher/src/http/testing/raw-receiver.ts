/**
 * Receivers for tests that do exactly as they are told, byte by byte, on a real socket of 127.0.0.1.
 */
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, type TlsOptions } from 'node:tls'

export type RawReceiver = {
  readonly port: number
  /** `http://127.0.0.1:port` */
  readonly url: string
  /** Every connection so far, in order. */
  readonly connections: readonly Socket[]
  /** What each connection has sent so far, as latin1. */
  readonly received: readonly string[]
  /** Resolves when the first request was reacted to. */
  readonly firstRequest: Promise<void>
  /** Resolves when every connection so far is closed: nothing is held on either side any more. */
  allClosed(): Promise<void>
  close(): Promise<void>
}

/** What a receiver does once the head and body of a request are there; `index` counts the requests of that connection. */
export type Reaction = (socket: Socket, index: number) => void

/** A receiver that reacts to each request. Requests must have the body that `content-length` announces. */
export async function startReceiver(react: Reaction, tls?: TlsOptions): Promise<RawReceiver> {
  const connections: Socket[] = []
  const received: string[] = []
  const first = Promise.withResolvers<void>()
  const accept = (socket: Socket) => {
    const number = connections.push(socket) - 1
    received[number] = ''
    let seen = 0
    let requests = 0
    // A sender that breaks off is nothing to a receiver.
    socket.on('error', () => {})
    socket.on('data', (chunk) => {
      received[number] += chunk.toString('latin1')
      for (
        let end = requestEnd(received[number] ?? '', seen);
        end !== null;
        end = requestEnd(received[number] ?? '', seen)
      ) {
        seen = end
        react(socket, requests)
        requests += 1
        first.resolve()
      }
    })
  }
  const server = tls === undefined ? createServer(accept) : createTlsServer(tls, accept)
  server.on('tlsClientError', () => {})
  return listening(server, { connections, received, firstRequest: first.promise })
}

/** A receiver that is told only of connections, before any byte; TCP only. */
export async function startListener(accept: (socket: Socket) => void): Promise<RawReceiver> {
  const connections: Socket[] = []
  const server = createServer((socket) => {
    connections.push(socket)
    socket.on('error', () => {})
    accept(socket)
  })
  return listening(server, { connections, received: [], firstRequest: new Promise(() => {}) })
}

/** A port of 127.0.0.1 on which nobody listens. */
export async function unusedPort(): Promise<number> {
  const receiver = await startListener(() => {})
  await receiver.close()
  return receiver.port
}

async function listening(
  server: Server,
  { connections, received, firstRequest }: { connections: Socket[]; received: string[]; firstRequest: Promise<void> },
): Promise<RawReceiver> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  // A TCP server has a port.
  const { port } = server.address() as AddressInfo
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    connections,
    received,
    firstRequest,
    allClosed: async () => {
      await Promise.all(connections.map(closed))
    },
    close: async () => {
      for (const socket of connections) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

/** Not `once` of `node:events`, for which the reset that comes before the close is a failure. */
function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.closed) resolve()
    else socket.once('close', () => resolve())
  })
}

/** Where the request ends that begins at `from`, or `null` while it is incomplete. */
function requestEnd(text: string, from: number): number | null {
  const headEnd = text.indexOf('\r\n\r\n', from)
  if (headEnd < 0) return null
  const length = /content-length: (\d+)/i.exec(text.slice(from, headEnd))?.[1] ?? '0'
  const end = headEnd + 4 + Number(length)
  return end <= text.length ? end : null
}
