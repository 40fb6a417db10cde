/**
 * A network between a test and its database that can fail: a TCP proxy that stops passing bytes on without closing, as
 * when the machine behind a connection is gone and nobody says so.
 */
import { connect, createServer, type Socket } from 'node:net'

export type Proxy = AsyncDisposable & {
  /** The same database, through the proxy. */
  readonly url: string
  /** The connections that are open pass nothing on any more, and stay open. New ones work. */
  fallSilent(): void
}

/** Starts a proxy in front of the server of a database. */
export async function startProxy(databaseUrl: string): Promise<Proxy> {
  const target = new URL(databaseUrl)
  const passing = new Set<Socket>()
  const all = new Set<Socket>()
  const server = createServer((inside) => {
    const outside = connect(Number(target.port), target.hostname)
    for (const [from, to] of [
      [inside, outside],
      [outside, inside],
    ] as const) {
      passing.add(from)
      all.add(from)
      from.on('error', () => undefined)
      from.on('data', (chunk) => passing.has(from) && to.write(chunk))
      from.on('close', () => to.destroy())
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const url = new URL(databaseUrl)
  url.hostname = '127.0.0.1'
  url.port = String(typeof address === 'object' && address !== null ? address.port : 0)
  return {
    url: url.href,
    fallSilent: () => passing.clear(),
    [Symbol.asyncDispose]() {
      for (const socket of all) socket.destroy()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}
