/**
 * The receiver of the benchmarks, as cheap as one can be: it reads just enough of a request to find its end and its
 * `webhook-id`, notes when the id came, and answers with 200. It verifies nothing, because its CPU is shared with what is
 * measured.
 *
 * Requests must have a `content-length`, and the names of their headers in lower case, as undici sends them.
 */

import type { AddressInfo } from 'node:net'
import { createServer, type Server, type Socket } from 'node:net'

const okay = Buffer.from('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n')
const headEnd = '\r\n\r\n'
const nothing: Buffer = Buffer.alloc(0)
/** Without a new request for so long, no more will come, in milliseconds. Leases run out after half of it. */
const silentMs = 60_000

/** What came since the last `forget`. */
export type Received = {
  requests: number
  /** Different ids among them. */
  distinct: number
}

export type ReceiverCalls = {
  /** Starts to listen, on a free port of the loopback interface. */
  listen(): Promise<{ port: number }>
  /** Starts to listen on another port, where every connection is accepted and nothing is ever answered. */
  listenSilently(): Promise<{ port: number }>
  received(): Received
  /** Resolves when so many different ids have come, and rejects when none comes for a while. */
  have(distinct: number): Promise<void>
  /** Resolves when all of these ids have come, and rejects when nothing comes for a while. */
  haveAll(ids: readonly string[]): Promise<void>
  /** When each id came first, on the clock that all processes of this machine share, in milliseconds. */
  times(): Map<string, number>
  forget(): void
}

/** @param nowMs a monotonic clock that is the same in every process */
export function createReceiver(nowMs: () => number): ReceiverCalls {
  const firstAt = new Map<string, number>()
  let requests = 0
  let heard = (): void => undefined

  function note(id: string): void {
    requests += 1
    if (!firstAt.has(id)) firstAt.set(id, nowMs())
    heard()
  }

  const server = createServer({ noDelay: true }, (socket) => readRequests(socket, note))
  /** Resolves when `isMet` answers true, which is asked when something came; rejects after a silence. */
  function until(isMet: () => boolean, missing: () => string): Promise<void> {
    return new Promise((resolve, reject) => {
      const silence = setTimeout(() => reject(new Error(missing())), silentMs)
      heard = () => {
        silence.refresh()
        if (!isMet()) return
        clearTimeout(silence)
        heard = () => undefined
        resolve()
      }
      heard()
    })
  }

  return {
    listen: () => listenOn(server),
    listenSilently: () => listenOn(createServer((socket) => socket.on('error', () => socket.destroy()).resume())),
    received: () => ({ requests, distinct: firstAt.size }),
    have: (distinct) =>
      until(
        () => firstAt.size >= distinct,
        () => `only ${firstAt.size} of ${distinct} events came`,
      ),
    haveAll(ids) {
      const missing = new Set(ids)
      return until(
        () => {
          for (const id of missing) {
            if (!firstAt.has(id)) return false
            missing.delete(id)
          }
          return true
        },
        () => `${missing.size} of ${ids.length} events did not come`,
      )
    },
    times: () => firstAt,
    forget() {
      firstAt.clear()
      requests = 0
    },
  }
}

function listenOn(server: Server): Promise<{ port: number }> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    // Listening on an IP address, so the address is an object.
    server.listen(0, '127.0.0.1', () => resolve({ port: (server.address() as AddressInfo).port }))
  })
}

function readRequests(socket: Socket, note: (id: string) => void): void {
  let unread = nothing
  socket.on('error', () => socket.destroy())
  socket.on('data', (chunk) => {
    unread = unread.length === 0 ? chunk : Buffer.concat([unread, chunk])
    for (;;) {
      const bodyAt = unread.indexOf(headEnd) + headEnd.length
      if (bodyAt < headEnd.length) return
      const head = unread.toString('latin1', 0, bodyAt)
      const end = bodyAt + Number(headerIn(head, '\r\ncontent-length: '))
      if (unread.length < end) return
      unread = unread.subarray(end)
      note(headerIn(head, '\r\nwebhook-id: '))
      socket.write(okay)
    }
  })
}

function headerIn(head: string, name: string): string {
  const at = head.indexOf(name)
  return at === -1 ? '' : head.slice(at + name.length, head.indexOf('\r', at + 2))
}
