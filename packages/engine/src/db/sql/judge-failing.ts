import type { FailureCode, Uuid } from '@posthorn/contract'
import type { Tx } from '../transaction.ts'

export type FailingRequest = {
  /** Subscriptions behind this one; null for the first ones. */
  after: Uuid | null
  /** How long nothing but failure is put up with, in milliseconds. */
  windowMs: number
  /** Parts of the window, in percent, at which the operator is told. */
  toldAtPercent: readonly number[]
  /** Failed attempts in the window, and fifths of it that have some, at least. */
  failuresMin: number
  fifthsMin: number
  /** Failures that do not count. */
  ours: readonly FailureCode[]
  operatorTenant: string
  rowsMax: number
}

export type FailingRow = { id: Uuid; verdict: 'disabled' | 'told' | 'waits' }

/**
 * Judges up to `rowsMax` active subscriptions that have failed without a break for the next part of the window that is
 * to be told, or for all of it: disables them, or notes that they were told of, and writes down what the operator is to be
 * told. One whose failures do not prove enough waits. Answers with all it looked at, in the order of ids.
 *
 * Locks the subscriptions and skips locked ones: who is changed just now is judged the next time. Walks
 * `subscription_failing_idx`, and `attempt_failed_idx` once for each fifth and once to count. Two callers share the rows.
 */
export function judgeFailing(tx: Tx, request: FailingRequest): Promise<FailingRow[]> {
  const { after, windowMs, toldAtPercent, failuresMin, fifthsMin, ours, operatorTenant, rowsMax } = request
  return tx.$queryRaw<FailingRow[]>`
    with stage as materialized (
      select percent, ${windowMs}::float8 * percent / 100 * interval '1 millisecond' as length
      from unnest(${[...toldAtPercent, 100]}::int[]) as stage (percent)
    ), suspect as materialized (
      select s.id, s.tenant_id, s.failing_since, s.failing_percent
      from subscription s
      where s.failing_since <= now() - (select min(length) from stage) and s.state = 'active' and s.deleted_at is null
        and (${after}::uuid is null or s.id > ${after}::uuid)
        and exists (
          select from stage where stage.percent > s.failing_percent and s.failing_since <= now() - stage.length)
      order by s.id
      limit ${rowsMax}::int
      for no key update skip locked
    ), judged as materialized (
      select s.*, coalesce((
        -- The furthest stage that its failures prove.
        select max(stage.percent)
        from stage
        cross join lateral (
          select count(*) filter (where fifth.failures > 0) as fifths, sum(fifth.failures) as failures
          from (
            select (
              select count(*)
              from (
                select
                from attempt a
                where a.subscription_id = s.id and a.failure_code is not null
                  and a.id >= (lpad(to_hex((extract(epoch from now() - stage.length * (6 - n) / 5) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid
                  and a.id < (lpad(to_hex((extract(epoch from now() - stage.length * (5 - n) / 5) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid
                  and a.trigger = 'automatic' and a.failure_code <> all(${[...ours]}::text[])
                limit ${failuresMin}::int
              ) found
            ) as failures
            from generate_series(1, 5) n
          ) fifth
        ) proof
        where stage.percent > s.failing_percent and s.failing_since <= now() - stage.length
          and proof.fifths >= ${fifthsMin}::int and proof.failures >= ${failuresMin}::int
      ), 0) as percent
      from suspect s
    ), changed as (
      update subscription s
      set state = case when j.percent = 100 then 'disabled' else s.state end,
          disabled_reason = case when j.percent = 100 then 'failing_too_long' else s.disabled_reason end,
          state_changed_at = case when j.percent = 100 then now() else s.state_changed_at end,
          failing_percent = case when j.percent = 100 then s.failing_percent else j.percent end,
          recovery_due = true
      from judged j
      where s.id = j.id and j.percent > 0
    ), told as (
      insert into system_event (type, tenant_id, subscription_id, facts)
      select case when percent = 100 then 'posthorn.subscription.disabled' else 'posthorn.subscription.failing' end, tenant_id, id,
        case when percent = 100 then jsonb_build_object('reason', 'failing_too_long', 'failing_since', failing_since)
             else jsonb_build_object('percent', percent, 'failing_since', failing_since,
               'disable_at', failing_since + ${windowMs}::float8 * interval '1 millisecond') end
      from judged
      where percent > 0 and tenant_id <> ${operatorTenant}::text
    )
    select id, case percent when 0 then 'waits' when 100 then 'disabled' else 'told' end as verdict
    from judged
    order by id`
}
