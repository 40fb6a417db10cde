import type { FoundEvent } from './find-published.ts'
import { type Runner, run } from './statement.ts'

/** Tenants and names under one value that are looked at. */
const placesMax = 200

/**
 * Events with this value of a business key, under one name unless it is null, of one tenant unless it is null, newest
 * first.
 *
 * Locks nothing. Hops through `event_key_pkey` from one tenant and name to the next, at most `placesMax` of them, and reads
 * the newest of each: a value that a million events have costs no more than one that a few have.
 */
export function findByKey(
  runner: Runner,
  asked: { tenantId: string | null; name: string | null; value: string },
  rowsMax: number,
): Promise<(FoundEvent & { name: string })[]> {
  return run<FoundEvent & { name: string }>(runner, {
    name: asked.tenantId === null ? 'find-by-key' : 'find-by-key-of-tenant',
    text: asked.tenantId === null ? textOf('') : textOf('and k.tenant_id = $4'),
    values: [asked.value, asked.name, rowsMax, ...(asked.tenantId === null ? [] : [asked.tenantId])],
  })
}

function textOf(condition: string): string {
  return `
with recursive place as (
  (
    select k.tenant_id, k.name from event_key k
    where k.value = $1 ${condition}
    order by k.value, k.tenant_id, k.name
    limit 1
  )
  union all
  select next.tenant_id, next.name
  from place p
  cross join lateral (
    select k.tenant_id, k.name from event_key k
    where k.value = $1 ${condition} and (k.tenant_id, k.name) > (p.tenant_id, p.name)
    order by k.value, k.tenant_id, k.name
    limit 1
  ) next
), newest as (
  select e.event_id as id, p.tenant_id, p.name
  from (select * from place limit ${placesMax}) p
  cross join lateral (
    select k.event_id from event_key k
    where k.value = $1 and k.tenant_id = p.tenant_id and k.name = p.name
    order by k.event_id desc
    limit $3
  ) e
  where $2::text is null or p.name = $2
)
select id, tenant_id, name from newest order by id desc, name limit $3`
}
