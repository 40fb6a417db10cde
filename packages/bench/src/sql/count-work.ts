import type { Database } from '@posthorn/engine'

export type WorkCounts = { events: number; deliveries: number; delivered: number; attempts: number; waiting: number }

/** How many of everything there are. Reads the tables from end to end; locks nothing. */
export async function countWork({ pool }: Database): Promise<WorkCounts> {
  const { rows } = await pool.query<WorkCounts>(text)
  return rows[0] ?? { events: 0, deliveries: 0, delivered: 0, attempts: 0, waiting: 0 }
}

const text = `
select (select count(*)::int from event) as events,
       (select count(*)::int from delivery) as deliveries,
       (select count(*)::int from delivery where state = 'delivered') as delivered,
       (select count(*)::int from attempt) as attempts,
       (select count(*)::int from backlog) as waiting`
