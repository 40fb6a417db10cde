import { type Runner, run } from './statement.ts'

/** Names of the partitions attached to these tables, such as `event_20261123`. Locks nothing; reads the catalog. */
export async function selectPartitions(runner: Runner, tables: readonly string[]): Promise<string[]> {
  const rows = await run<{ name: string }>(runner, { name: 'select-partitions', text, values: [tables] })
  return rows.map((row) => row.name)
}

const text = `
select child.relname as name
from unnest($1::text[]) as asked (parent)
join pg_inherits i on i.inhparent = to_regclass(asked.parent)
join pg_class child on child.oid = i.inhrelid`
