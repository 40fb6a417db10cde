import type pg from 'pg'

export type DemoMark = {
  /** Tables in the schema `public`, whoever made them. */
  tables: number
  /** Whether a demo made them. */
  marked: boolean
}

/** Whether a database is empty, and whether a demo of ours filled it. Reads catalogs only. */
export async function selectDemoMark(client: pg.Client): Promise<DemoMark> {
  const { rows } = await client.query<DemoMark>(text)
  return rows[0] ?? { tables: 0, marked: false }
}

const text = `
select count(*)::int as tables, coalesce(bool_or(c.relname = 'posthorn_demo'), false) as marked
from pg_class c
where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')`
