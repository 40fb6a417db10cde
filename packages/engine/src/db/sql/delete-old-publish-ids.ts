import type { Uuid } from '@posthorn/contract'
import { type Runner, run } from './statement.ts'

/**
 * Forgets up to `rowsMax` ids of publishers whose events are older than `before`. Answers how many.
 *
 * Locks the rows it deletes and skips locked ones; walks `event_publish_id_event_id_idx`, by ranges of blocks.
 */
export async function deleteOldPublishIds(runner: Runner, before: Uuid, rowsMax: number): Promise<number> {
  const values = [before, rowsMax]
  const rows = await run<{ count: number }>(runner, { name: 'delete-old-publish-ids', text, values })
  return rows[0]?.count ?? 0
}

const text = `
with old as (
  select tenant_id, publish_id from event_publish_id where event_id < $1 limit $2 for update skip locked
), gone as (
  delete from event_publish_id p using old
  where p.tenant_id = old.tenant_id and p.publish_id = old.publish_id
  returning 1
)
select count(*)::int as count from gone`
