import type { Uuid } from '@posthorn/contract'
import { type Runner, run } from './statement.ts'

/** Takes away what has been told. Locks the rows by primary key; doing it twice does nothing the second time. */
export async function deleteSystemEvents(runner: Runner, ids: readonly Uuid[]): Promise<void> {
  await run(runner, { name: 'delete-system-events', text, values: [ids] })
}

const text = `delete from system_event where id = any($1::uuid[])`
