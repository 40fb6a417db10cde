import type { Uuid } from '@posthorn/contract'
import { type Runner, run } from './statement.ts'

/** Takes out of the outbox what is published. Locks the rows by primary key; doing it twice does nothing the second time. */
export async function deleteOutboxEvents(runner: Runner, ids: readonly Uuid[]): Promise<void> {
  await run(runner, { name: 'delete-outbox-events', text, values: [ids] })
}

const text = 'delete from outbox_event where id = any($1::uuid[])'
