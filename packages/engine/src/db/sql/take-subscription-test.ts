import { type Runner, run } from './statement.ts'

/**
 * Takes the test that has waited longest, for good: nobody takes it again, so that it is sent once at the most. One that
 * has waited longer than anybody waits for it is left alone, and rows of which nobody can want to know any more are
 * deleted. Answers with its id, or nothing.
 *
 * Checks of receivers and plain tests are taken apart from one another, because a check takes long. Of one tenant so many
 * are under way at once: there are few places for all. One that was taken and not finished for so long is not under way
 * any more: its dispatcher died.
 *
 * Locks the one row, found by `subscription_test_waiting_idx`; what is under way is found by
 * `subscription_test_one_at_a_time`. Two dispatchers at once take two, and may take one of a tenant too many.
 */
export async function takeSubscriptionTest(
  runner: Runner,
  taking: { waitMsMax: number; isReceiverCheck: boolean; perTenantMax: number; underWayMsMax: number },
): Promise<string | undefined> {
  const { waitMsMax, isReceiverCheck, perTenantMax, underWayMsMax } = taking
  const values = [waitMsMax, isReceiverCheck, perTenantMax, underWayMsMax]
  const rows = await run<{ id: string }>(runner, { name: 'take-subscription-test', text, values })
  return rows[0]?.id
}

const text = `
with forgotten as (
  delete from subscription_test where requested_at < now() - interval '10 minutes'
), busy as materialized (
  select tenant_id
  from subscription_test
  where finished_at is null and is_receiver_check = $2 and taken_at >= now() - $4::int * interval '1 millisecond'
  group by tenant_id
  having count(*) >= $3::int
), waiting as materialized (
  select id
  from subscription_test
  where taken_at is null and is_receiver_check = $2 and requested_at >= now() - $1::int * interval '1 millisecond'
    and tenant_id not in (select tenant_id from busy)
  order by requested_at
  limit 1
  for update skip locked
)
update subscription_test t
set taken_at = now()
from waiting
where t.id = waiting.id
returning t.id`
