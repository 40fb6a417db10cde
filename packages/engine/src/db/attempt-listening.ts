/**
 * The connection on which is heard what dispatchers record, while somebody reads a stream (stream.ts).
 */
import type { Database } from './database.ts'
import { keepListening, type Listening } from './listening.ts'
import { listenAttempts } from './sql/listen-attempts.ts'
import { notifyStreamWanted } from './sql/notify-stream-wanted.ts'

/** How often dispatchers are asked to tell, in milliseconds. They do so for three times as long. */
const askEveryMs = 10_000

/**
 * Listens, asks dispatchers to tell, and listens again when the connection breaks.
 *
 * @param heard told the payload of each notification
 * @param broken told that some may have been missed
 */
export function listenForAttempts(db: Database, heard: (payload: string) => void, broken: () => void): Listening {
  const { ready, stop } = keepListening(db, {
    name: 'posthorn-stream',
    async begin(client) {
      await listenAttempts(client)
      await notifyStreamWanted(db.pool)
    },
    heard: (_channel, payload) => heard(payload),
    broken,
  })
  const asking = setInterval(() => void notifyStreamWanted(db.pool).catch(() => undefined), askEveryMs)
  asking.unref()
  return {
    ready,
    async stop() {
      clearInterval(asking)
      await stop()
    },
  }
}
