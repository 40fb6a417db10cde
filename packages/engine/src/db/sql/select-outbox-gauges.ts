import { type Runner, run } from './statement.ts'

export type OutboxGauges = {
  waiting: number
  refused: number
  /** How long the oldest has waited; 0 when none does. */
  oldest_seconds: number
}

/**
 * How much waits in the outbox and how much was refused, counted up to `countMax` each. Locks nothing; walks that many
 * entries of `outbox_event_waiting_idx` and of `outbox_event_refused_idx`.
 */
export async function selectOutboxGauges(runner: Runner, countMax: number): Promise<OutboxGauges> {
  const [row] = await run<OutboxGauges>(runner, { name: 'select-outbox-gauges', text, values: [countMax] })
  if (row === undefined) throw new Error('A statement without conditions has answered without a row')
  return row
}

const text = `
select
  (select count(*)::int from (select 1 from outbox_event where refused_at is null limit $1) waiting) as waiting,
  (select count(*)::int from (select 1 from outbox_event where refused_at is not null limit $1) refused) as refused,
  coalesce((
    select greatest(extract(epoch from now() - written_at), 0)::float8
    from outbox_event where refused_at is null order by place limit 1
  ), 0) as oldest_seconds`
