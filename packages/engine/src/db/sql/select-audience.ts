import { type Runner, run } from './statement.ts'

export type AudienceRow = {
  tenant_id: string
  /** Null for a tenant without a live subscription. */
  subscription_id: string | null
  shard: number
  state: string
  ordered: boolean
  max_in_flight: number
  rate_limit_per_second: number | null
  event_types: string[]
  /** JSON, or null. */
  filter: string | null
}

/**
 * Who may be interested in events of these tenants: every tenant that exists, with each of its live subscriptions.
 * Matching is done by the caller, with the one implementation of patterns that the interfaces use too.
 *
 * Locks nothing. Walks `tenant_pkey` and `subscription_tenant_id_id_idx`. A subscription committed before the call is
 * seen; one committed while the publish runs may or may not be, which is the same to its maker.
 */
export function selectAudience(runner: Runner, tenantIds: readonly string[]): Promise<AudienceRow[]> {
  return run<AudienceRow>(runner, { name: 'select-audience', text, values: [tenantIds] })
}

const text = `
select t.id as tenant_id, s.id as subscription_id, s.shard, s.state, s.ordered, s.max_in_flight, s.rate_limit_per_second, s.event_types, s.filter
from tenant t
left join subscription s on s.tenant_id = t.id and s.deleted_at is null
where t.id = any($1::text[])`
