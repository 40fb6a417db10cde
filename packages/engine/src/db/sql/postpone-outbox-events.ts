import type { Uuid } from '@posthorn/contract'
import { type Runner, run } from './statement.ts'

/**
 * Lets events in the outbox wait that could not be published by a fault of ours: the longer, the more often that
 * happened, so that they do not stand in front of the others. Locks the rows by primary key.
 */
export async function postponeOutboxEvents(runner: Runner, ids: readonly Uuid[]): Promise<void> {
  await run(runner, { name: 'postpone-outbox-events', text, values: [ids] })
}

const text = `
update outbox_event
set tries = tries + 1, not_before = now() + least(power(2, tries), 300) * interval '1 second'
where id = any($1::uuid[])`
