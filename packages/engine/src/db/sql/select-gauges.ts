import { type Runner, run } from './statement.ts'

/** How things stand in the database at a moment. */
export type Gauges = {
  due: number
  waiting: number
  subscriptions: { state: string; reason: string | null; count: number }[]
  ordered_blocked: number
  dispatchers: number
}

/**
 * How much is due and how much waits, counted up to `countMax` each, how many subscriptions are in which state, and how
 * many ordered ones are blocked by a head that has failed.
 *
 * Locks nothing. Walks at most `countMax` entries of `backlog_ready_idx` and of `backlog_waiting_idx`, all subscriptions,
 * and for each ordered one the first entry of `backlog_subscription_id_delivery_id_idx` and its delivery.
 */
export async function selectGauges(runner: Runner, countMax: number): Promise<Gauges> {
  const [row] = await run<Gauges>(runner, { name: 'select-gauges', text, values: [countMax] })
  if (row === undefined) throw new Error('A statement without conditions has answered without a row')
  return row
}

const text = `
select
  (select count(*)::int from (select 1 from backlog where ready limit $1) due) as due,
  (select count(*)::int from (select 1 from backlog where not ready limit $1) waiting) as waiting,
  (select coalesce(json_agg(each), '[]')
   from (
     select state, disabled_reason as reason, count(*)::int as count
     from subscription
     where deleted_at is null
     group by state, disabled_reason
   ) each) as subscriptions,
  (select count(*)::int
   from subscription s
   cross join lateral (
     select b.delivery_id
     from backlog b
     where b.subscription_id = s.id
     order by b.subscription_id, b.delivery_id
     limit 1
   ) head
   join delivery d on d.id = head.delivery_id and d.state = 'retrying'
   where s.ordered and s.state = 'active' and s.deleted_at is null) as ordered_blocked,
  (select count(*)::int from dispatcher where heartbeat_at > now() - interval '30 seconds') as dispatchers`
