import type { Uuid } from '@posthorn/contract'
import { type Runner, run } from './statement.ts'

export type OutboxContentRow = {
  /** The exact JSON text. */
  data: string
  /** As the writer gave them; null for none. */
  headers: unknown
}

/** What an event in the outbox holds. Locks nothing; walks `outbox_event_pkey`. */
export async function selectOutboxContent(runner: Runner, id: Uuid): Promise<OutboxContentRow | undefined> {
  const [row] = await run<OutboxContentRow>(runner, { name: 'select-outbox-event', text, values: [id] })
  return row
}

const text = `
select data::text as data, headers
from outbox_event
where id = $1::uuid`
