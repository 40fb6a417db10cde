import type pg from 'pg'

/** The channel on which the trigger of `outbox_event` says that something was written. */
export const outboxChannel = 'posthorn_outbox'

/** Subscribes a connection of its own to what is written into the outbox. Locks nothing. */
export async function listenOutbox(client: pg.Client): Promise<void> {
  await client.query(`listen ${outboxChannel}`)
}
