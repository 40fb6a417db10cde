import type pg from 'pg'
import { attemptsChannel } from './notify-attempts.ts'

/** Subscribes a connection of its own to what dispatchers record. Locks nothing. */
export async function listenAttempts(client: pg.Client): Promise<void> {
  await client.query(`listen ${attemptsChannel}`)
}
