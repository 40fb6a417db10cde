import { type Runner, run } from './statement.ts'

/**
 * Takes away up to `rowsMax` records that are older than `keptHours`, and answers how many. Walks
 * `idempotency_key_begun_at_idx`, locks what it takes and skips what others have locked.
 */
export async function deleteOldIdempotent(
  runner: Runner,
  { keptHours, rowsMax }: { keptHours: number; rowsMax: number },
): Promise<number> {
  const rows = await run<{ count: number }>(runner, {
    name: 'delete-old-idempotent',
    text,
    values: [keptHours, rowsMax],
  })
  return rows[0]?.count ?? 0
}

const text = `
with old as (
  select owner, key from idempotency_key
  where begun_at < now() - $1::int * interval '1 hour'
  order by begun_at
  limit $2
  for update skip locked
), gone as (
  delete from idempotency_key k using old where k.owner = old.owner and k.key = old.key returning 1
)
select count(*)::int as count from gone`
