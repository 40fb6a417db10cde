import type { Uuid } from '@posthorn/contract'
import { type Runner, run } from './statement.ts'

/** The channel on which dispatchers tell which attempts they have recorded, while somebody reads a stream. */
export const attemptsChannel = 'posthorn_attempts'
/** Says that attempts were recorded that nobody was told of. */
export const attemptsLost = '!'
/** With commas, ids of 36 characters fit so often into the 8,000 bytes of a notification. */
const idsPerPayload = 200

/**
 * Tells who streams that these attempts are recorded. Never part of the recording, because a commit with NOTIFY takes a lock
 * of the whole database.
 *
 * @param lost some before them could not be told
 */
export async function notifyAttempts(runner: Runner, ids: readonly Uuid[], lost: boolean): Promise<void> {
  const payloads = lost ? [attemptsLost] : []
  for (let at = 0; at < ids.length; at += idsPerPayload) payloads.push(ids.slice(at, at + idsPerPayload).join(','))
  await run(runner, {
    name: 'notify-attempts',
    text: 'select pg_notify($1, payload) from unnest($2::text[]) payload',
    values: [attemptsChannel, payloads],
  })
}
