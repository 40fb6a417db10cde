import { type Runner, run } from './statement.ts'

export type OldPartition = {
  parent: string
  name: string
  /** Attached; being taken off; or taken off already and not dropped yet. */
  place: 'attached' | 'pending' | 'detached'
}

/**
 * Every table that is or was a day partition of these tables. What was taken off and not dropped is known by its name and
 * by the comment that is set before. Locks nothing; reads the catalog.
 */
export function selectOldPartitions(runner: Runner, tables: readonly string[]): Promise<OldPartition[]> {
  return run<OldPartition>(runner, { name: 'select-old-partitions', text, values: [tables] })
}

const text = `
select asked.parent, c.relname as name,
       case when i.inhrelid is null then 'detached' when i.inhdetachpending then 'pending' else 'attached' end as place
from unnest($1::text[]) as asked (parent)
join pg_class p on p.oid = to_regclass(asked.parent)
join pg_class c on c.relnamespace = p.relnamespace and c.relkind = 'r' and c.relname ~ ('^' || asked.parent || '_[0-9]{8}$')
left join pg_inherits i on i.inhrelid = c.oid
order by c.relname`
