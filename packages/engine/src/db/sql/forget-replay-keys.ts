import { type Runner, run } from './statement.ts'

/**
 * Takes business keys out of the filters of replays: all of a tenant's, or one name with one value wherever it stands. What
 * the replays did is in their items. Locks the replays it changes; reads all of them, which are few.
 */
export async function forgetReplayKeys(
  runner: Runner,
  of: { tenantId: string; keyName: string | null; keyValue: string | null },
): Promise<void> {
  await run(runner, { name: 'forget-replay-keys', text, values: [of.tenantId, of.keyName, of.keyValue] })
}

const text = `
update replay r
set filter = (
  select coalesce(jsonb_object_agg(word.key, word.value), '{}')
  from jsonb_each(r.filter) word
  where not (case when $2::text is null then word.key like 'key.%' else word.key = 'key.' || $2 end)
)
where jsonb_typeof(r.filter) = 'object'
  and case
    when $2::text is null then r.tenant_id = $1 and exists (select from jsonb_object_keys(r.filter) key where key like 'key.%')
    else (r.tenant_id = $1 or r.tenant_id is null)
      and (r.filter -> ('key.' || $2) = to_jsonb($3::text) or r.filter -> ('key.' || $2) ? $3::text)
  end`
