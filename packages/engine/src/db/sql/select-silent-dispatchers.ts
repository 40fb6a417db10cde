import type { Uuid } from '@posthorn/contract'
import { lifeLockClass } from './give-sign-of-life.ts'
import { type Runner, run } from './statement.ts'

/**
 * The other dispatchers that have written down what they own and give no sign of life now: they are dead, or their
 * connection has just broken.
 *
 * Reads a few rows and the list of locks, and locks nothing. That two names have the same hash is unlikely, and then one
 * is found dead by its heartbeat only.
 */
export async function selectSilentDispatchers(runner: Runner, id: Uuid): Promise<readonly Uuid[]> {
  const values = [id, lifeLockClass]
  const rows = await run<{ id: Uuid }>(runner, { name: 'select-silent-dispatchers', text, values })
  return rows.map((row) => row.id)
}

/** Of the row of a dispatcher; `$2` is the class of the lock. */
export const isSilent = `shard_jobs is not null and not exists (
  select 1
  from pg_locks l
  where l.locktype = 'advisory' and l.objsubid = 2 and l.granted
    and l.database = (select oid from pg_database where datname = current_database())
    and l.classid = $2::int::oid and l.objid = (hashtext(dispatcher.id::text)::bigint & 4294967295)::oid
)`

const text = `select id from dispatcher where id <> $1 and ${isSilent}`
