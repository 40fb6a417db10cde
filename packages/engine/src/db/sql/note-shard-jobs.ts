import type { Uuid } from '@posthorn/contract'
import { type Runner, run } from './statement.ts'

/** Writes down the jobs by which a dispatcher owns its shards, for whoever finds it dead. Locks its row. */
export async function noteShardJobs(runner: Runner, id: Uuid, jobIds: readonly Uuid[]): Promise<void> {
  await run(runner, { name: 'note-shard-jobs', text, values: [id, jobIds] })
}

const text = 'update dispatcher set shard_jobs = $2::uuid[] where id = $1'
