/** A connection on which notifications are heard for as long as somebody wants to: it is made anew when it breaks. */
import pg from 'pg'
import type { Database } from './database.ts'
import { ask } from './unavailable.ts'

/** Wait before listening again after the connection broke, in milliseconds. */
const listenAgainMs = 1_000

export type Listening = {
  /** Resolves when it listens for the first time; rejects when that fails, and it is tried again all the same. */
  ready: Promise<void>
  stop(): Promise<void>
}

/**
 * @param options.name how the connection is called in the database (`application_name`)
 * @param options.begin begins to listen on a new connection
 * @param options.broken told that a connection has ended, so that some notifications may be missed
 */
export function keepListening(
  db: Pick<Database, 'url'>,
  options: {
    name: string
    begin(client: pg.Client): Promise<void>
    heard(channel: string, payload: string): void
    broken?(): void
  },
): Listening {
  let stopped = false
  let client: pg.Client | undefined
  let again: NodeJS.Timeout | undefined

  async function connect(): Promise<void> {
    const fresh = new pg.Client({ connectionString: db.url, application_name: options.name, keepAlive: true })
    client = fresh
    fresh.on('error', () => undefined) // 'end' follows
    fresh.on('end', () => {
      if (!stopped) options.broken?.()
      listenLater()
    })
    fresh.on('notification', ({ channel, payload = '' }) => options.heard(channel, payload))
    await ask(() => fresh.connect())
    await ask(() => options.begin(fresh))
  }

  /** A failed connection may say so twice; it is followed by one new one. */
  function listenLater(): void {
    if (!stopped) again ??= setTimeout(reconnect, listenAgainMs)
  }

  function reconnect(): void {
    again = undefined
    connect().catch(listenLater)
  }

  const ready = connect()
  ready.catch(listenLater)
  return {
    ready,
    async stop() {
      stopped = true
      clearTimeout(again)
      await client?.end().catch(() => undefined)
    },
  }
}
