/**
 * Keeps connections for the next request to the same origin, and with the same TLS identity where there is one.
 *
 * Each connection is one undici `Client`, handed to one request at a time. undici's own `Pool` is not used, because it
 * hides what a sender of webhooks must know: over which connection a request goes, whether that was used before, and how
 * to get a new one after a kept one was closed under our hands. Also it opens a second connection for a request that
 * follows at once, because the first one counts as busy for the rest of that turn of the event loop.
 *
 * The most recently used connection is taken first, so that those not needed any more run into their idle limit.
 */
import { Client } from 'undici'
import { type Connection, type ConnectOptions, createConnector, newConnection } from './connect.ts'
import type { TlsIdentity } from './tls-identities.ts'

/** undici's default: longer heads of answers end the connection. */
const responseHeadBytesMax = 16 * 1024
/** Most servers close idle connections after five seconds. A longer time that the server tells is honoured up to the maximum. */
const idleMs = 4_000
const idleMsMax = 60_000
/** After this long a connection takes no more requests, so that a change in the DNS is noticed under constant load too. */
const ageMsMax = 60_000

export class PooledClient extends Client {
  readonly key: string
  readonly connection: Connection

  constructor(origin: string, key: string, options: ConnectOptions) {
    const connection = newConnection()
    super(origin, {
      connect: createConnector(options, connection),
      allowH2: false,
      pipelining: 1,
      keepAliveTimeout: idleMs,
      keepAliveMaxTimeout: idleMsMax,
      maxHeaderSize: responseHeadBytesMax,
      // These would be limits on silence; `Exchange` has the one on the whole time.
      headersTimeout: 0,
      bodyTimeout: 0,
    })
    this.key = key
    this.connection = connection
  }
}

export type ConnectionPool = {
  readonly closed: boolean
  /**
   * A connection for one request. It may still have to be opened, and is certain to be when it is `fresh`. Those with a
   * TLS identity are for that identity alone.
   */
  take(origin: string, options: { fresh: boolean; identity?: TlsIdentity | undefined }): PooledClient
  /** After an exchange that ended as it should. */
  giveBack(client: PooledClient): void
  /** Ends the connection, and whatever is still going on over it, at once. */
  discard(client: PooledClient): void
  /** Waits until no connection is taken, and closes all. */
  close(): Promise<void>
}

export function createPool(options: ConnectOptions): ConnectionPool {
  const idle = new Map<string, PooledClient[]>()
  const taken = new Set<PooledClient>()
  const emptied = Promise.withResolvers<void>()
  let closed = false

  function take(origin: string, { fresh, identity }: Parameters<ConnectionPool['take']>[1]): PooledClient {
    const key = identity === undefined ? origin : `${identity.key} ${origin}`
    const client = (fresh ? undefined : takeIdle(key)) ?? openClient(origin, key, identity)
    taken.add(client)
    return client
  }

  function takeIdle(key: string): PooledClient | undefined {
    const clients = idle.get(key)
    if (clients === undefined) return undefined
    const oldestMs = options.monotonicMs() - ageMsMax
    for (let client = clients.pop(); client !== undefined; client = clients.pop()) {
      if (client.connection.openedMs >= oldestMs) return client
      discard(client)
    }
    return undefined
  }

  function openClient(origin: string, key: string, identity: TlsIdentity | undefined): PooledClient {
    const connecting = identity === undefined ? options : { ...options, secureContext: identity.secureContext }
    const client = new PooledClient(origin, key, connecting)
    client.on('disconnect', () => forget(client))
    return client
  }

  /** An idle connection was closed, by the receiver or by its idle limit. A taken one opens itself anew. */
  function forget(client: PooledClient): void {
    if (taken.has(client)) return
    const others = (idle.get(client.key) ?? []).filter((each) => each !== client)
    if (others.length > 0) idle.set(client.key, others)
    else idle.delete(client.key)
    void client.destroy()
  }

  function giveBack(client: PooledClient): void {
    if (closed) {
      discard(client)
      return
    }
    taken.delete(client)
    const clients = idle.get(client.key)
    if (clients === undefined) idle.set(client.key, [client])
    else clients.push(client)
  }

  function discard(client: PooledClient): void {
    taken.delete(client)
    client.connection.abandon(noLongerWanted)
    void client.destroy(noLongerWanted)
    if (closed && taken.size === 0) emptied.resolve()
  }

  async function close(): Promise<void> {
    closed = true
    const clients = [...idle.values()].flat()
    idle.clear()
    if (taken.size === 0) emptied.resolve()
    await Promise.all(clients.map((client) => client.destroy()))
    await emptied.promise
  }

  return {
    get closed() {
      return closed
    },
    take,
    giveBack,
    discard,
    close,
  }
}

/** One for all: nobody looks at it, and making errors is slow. */
const noLongerWanted = new Error('this connection is no longer wanted')
