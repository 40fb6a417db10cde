import { type Runner, run } from './statement.ts'

/**
 * Every pattern of event types that a subscription of these tenants has, each once; of all tenants for `undefined`.
 *
 * Locks nothing. Walks `subscription_tenant_id_id_idx`, or the whole table when it is about all tenants: subscriptions are
 * configuration, and this is asked by people. Who changes a subscription meanwhile is seen before or after.
 */
export async function selectSubscribedPatterns(
  runner: Runner,
  tenants: readonly string[] | undefined,
): Promise<string[]> {
  const values = [tenants === undefined ? null : [...tenants]]
  const rows = await run<{ pattern: string }>(runner, { name: 'select-subscribed-patterns', text, values })
  return rows.map(({ pattern }) => pattern)
}

const text = `
select distinct pattern
from subscription s, unnest(s.event_types) pattern
where ($1::text[] is null or s.tenant_id = any($1)) and s.deleted_at is null`
