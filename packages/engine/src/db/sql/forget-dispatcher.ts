import type { Uuid } from '@posthorn/contract'
import { type Runner, run } from './statement.ts'

/** Says that a dispatcher has stopped, so that the others need not wait for its heartbeat to end. Locks its row. */
export async function forgetDispatcher(runner: Runner, id: Uuid): Promise<void> {
  await run(runner, { name: 'forget-dispatcher', text: 'delete from dispatcher where id = $1', values: [id] })
}
