import type { Uuid } from '@posthorn/contract'
import { lifeLockClass } from './give-sign-of-life.ts'
import { isSilent } from './select-silent-dispatchers.ts'
import { type Runner, run } from './statement.ts'

/**
 * Forgets a dispatcher that still gives no sign of life, and answers with the jobs by which it owned shards. Locks its
 * row: of two callers one gets the jobs, the other nothing.
 */
export async function forgetSilentDispatcher(runner: Runner, id: Uuid): Promise<readonly Uuid[]> {
  const values = [id, lifeLockClass]
  const rows = await run<{ shard_jobs: Uuid[] }>(runner, { name: 'forget-silent-dispatcher', text, values })
  return rows.flatMap((row) => row.shard_jobs)
}

const text = `delete from dispatcher where id = $1 and ${isSilent} returning shard_jobs`
