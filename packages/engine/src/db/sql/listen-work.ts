import type pg from 'pg'
import { streamWantedChannel } from './notify-stream-wanted.ts'
import { workChannel } from './notify-work.ts'

/** Subscribes a connection of its own to the hints of publishers, and to the wishes of who streams. Locks nothing. */
export async function listenWork(client: pg.Client): Promise<void> {
  await client.query(`listen ${workChannel}; listen ${streamWantedChannel}`)
}
