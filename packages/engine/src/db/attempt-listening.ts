/**
 * The connection on which is heard what dispatchers record, while somebody reads a stream (stream.ts).
 */
import pg from 'pg'
import type { Database } from './database.ts'
import { listenAttempts } from './sql/listen-attempts.ts'
import { notifyStreamWanted } from './sql/notify-stream-wanted.ts'
import { ask } from './unavailable.ts'

/** How often dispatchers are asked to tell, in milliseconds. They do so for three times as long. */
const askEveryMs = 10_000
/** Wait before listening again after the connection broke, in milliseconds. */
const listenAgainMs = 1_000

export type AttemptListening = { ready: Promise<void>; stop(): Promise<void> }

/**
 * Listens, asks dispatchers to tell, and listens again when the connection breaks.
 *
 * @param heard told the payload of each notification
 * @param broken told that some may have been missed
 */
export function listenForAttempts(
  db: Database,
  heard: (payload: string) => void,
  broken: () => void,
): AttemptListening {
  let stopped = false
  let client: pg.Client | undefined
  let again: NodeJS.Timeout | undefined

  async function connect(): Promise<void> {
    const fresh = new pg.Client({ connectionString: db.url, application_name: 'posthorn-stream', keepAlive: true })
    client = fresh
    fresh.on('error', () => undefined) // 'end' follows
    fresh.on('end', () => {
      if (stopped) return
      broken()
      listenLater()
    })
    fresh.on('notification', ({ payload }) => heard(payload ?? ''))
    await ask(() => fresh.connect())
    await ask(() => listenAttempts(fresh))
    await notifyStreamWanted(db.pool)
  }

  function listenLater(): void {
    if (!stopped) again ??= setTimeout(reconnect, listenAgainMs)
  }

  function reconnect(): void {
    again = undefined
    connect().catch(listenLater)
  }

  const asking = setInterval(() => void notifyStreamWanted(db.pool).catch(() => undefined), askEveryMs)
  asking.unref()
  const ready = connect()
  ready.catch(listenLater)
  return {
    ready,
    async stop() {
      stopped = true
      clearInterval(asking)
      clearTimeout(again)
      await client?.end().catch(() => undefined)
    },
  }
}
