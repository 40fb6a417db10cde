import type pg from 'pg'
import { workChannel } from './notify-work.ts'

/** Subscribes a connection of its own to the hints of publishers. Locks nothing. */
export async function listenWork(client: pg.Client): Promise<void> {
  await client.query(`listen ${workChannel}`)
}
