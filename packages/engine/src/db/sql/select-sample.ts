import type { Uuid } from '@posthorn/contract'
import { type Runner, run } from './statement.ts'

/** An event of a sample. `found` is how many there were, before the bytes were counted. */
export type SampledRow = { id: Uuid; data: string; schema_version: number | null; found: number }

/**
 * The newest events of a type whose content is still there, of all tenants: at most so many, and only as long as their
 * data together has at most so many bytes.
 *
 * Locks nothing. Walks `event_type_content_idx` of each partition from `since` on, the newest first, and ends with the
 * last row that is wanted, so it takes as long for a million events as for a thousand. Lengths are known without reading
 * the data; what is over the bytes is not read.
 */
export async function selectSample(
  runner: Runner,
  of: { type: string; since: Uuid; rowsMax: number; bytesMax: number },
): Promise<SampledRow[]> {
  const values = [of.type, of.since, of.rowsMax, of.bytesMax]
  return run<SampledRow>(runner, { name: 'select-sample', text, values })
}

const text = `
with newest as (
  select id, data, schema_version
  from event
  where type = $1 and id >= $2 and erased_at is null
  order by id desc
  limit $3
), measured as (
  select id, data, schema_version,
    count(*) over ()::int as found,
    sum(octet_length(data)) over (order by id desc) as bytes_so_far
  from newest
)
select id, data, schema_version, found
from measured
where bytes_so_far <= $4::bigint
order by id desc`
