import type { Uuid } from '@posthorn/contract'
import { type Runner, run } from './statement.ts'

/** With it begin the advisory locks by which dispatchers show that they live; the key is ours and used nowhere else. */
export const lifeLockClass = 7267846

/**
 * Holds a lock in the name of a dispatcher for as long as the session lasts, on a connection of its own. The server lets
 * it go when the process dies, because its system closes the connection. Shared, so that a connection that was lost and is
 * not yet known to be does not keep the next one waiting; nobody asks for it otherwise.
 */
export async function giveSignOfLife(runner: Runner, id: Uuid): Promise<void> {
  await run(runner, { name: 'give-sign-of-life', text, values: [lifeLockClass, id] })
}

const text = 'select pg_advisory_lock_shared($1::int, hashtext($2::uuid::text))'
