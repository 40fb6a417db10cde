import type { Uuid } from '@posthorn/contract'
import { type Runner, run } from './statement.ts'

export type SampledRow = {
  id: Uuid
  data: string
  schema_version: number | null
  /** Events of the type that were found, before the bytes were counted. */
  found: number
  /** Events of all types that were looked through. */
  looked_through: number
}

/**
 * A sample of the events of a type whose content is still there, of all tenants, the newest first: those among the newest
 * events of all types, and one in sixteen of the older ones. At most so many, and only as long as their data together has
 * at most so many bytes.
 *
 * Locks nothing. Walks the primary key of the newest partitions for `recentMax` events, and from there on
 * `event_sampled_idx`, which has the very condition that stands here; so it takes as long for a billion events as for a
 * million. Lengths are known without reading the data; what is over the bytes is not read.
 */
export async function selectSample(
  runner: Runner,
  of: { type: string; since: Uuid; rowsMax: number; bytesMax: number; recentMax: number },
): Promise<SampledRow[]> {
  const values = [of.type, of.since, of.rowsMax, of.bytesMax, of.recentMax]
  return run<SampledRow>(runner, { name: 'select-sample', text, values })
}

const text = `
with recent as materialized (
  select id, type, data, schema_version, erased_at
  from event
  where id >= $2
  order by id desc
  limit $5
), older as (
  select id, data, schema_version
  from event
  where type = $1 and id >= $2 and id < (select id from recent order by id limit 1)
    and erased_at is null and get_byte(uuid_send(id), 15) < 16
  order by id desc
  limit $3
), newest as (
  select id, data, schema_version from recent where type = $1 and erased_at is null
  union all
  select id, data, schema_version from older
  order by id desc
  limit $3
), measured as (
  select id, data, schema_version,
    count(*) over ()::int as found,
    sum(octet_length(data)) over (order by id desc) as bytes_so_far
  from newest
)
select id, data, schema_version, found, (select count(*)::int from recent) as looked_through
from measured
where bytes_so_far <= $4::bigint
order by id desc`
