import { type Runner, run } from './statement.ts'

/**
 * Takes the test that has waited longest, for good: nobody takes it again, so that it is sent once at the most. One that
 * has waited longer than anybody waits for it is left alone, and rows of which nobody can want to know any more are
 * deleted. Answers with its id, or nothing.
 *
 * Checks of receivers and plain tests are taken apart from one another, because a check takes long.
 *
 * Locks the one row, found by `subscription_test_waiting_idx`; two dispatchers at once take two.
 */
export async function takeSubscriptionTest(
  runner: Runner,
  { waitMsMax, isReceiverCheck }: { waitMsMax: number; isReceiverCheck: boolean },
): Promise<string | undefined> {
  const values = [waitMsMax, isReceiverCheck]
  const rows = await run<{ id: string }>(runner, { name: 'take-subscription-test', text, values })
  return rows[0]?.id
}

const text = `
with forgotten as (
  delete from subscription_test where requested_at < now() - interval '10 minutes'
), waiting as materialized (
  select id
  from subscription_test
  where taken_at is null and is_receiver_check = $2 and requested_at >= now() - $1::int * interval '1 millisecond'
  order by requested_at
  limit 1
  for update skip locked
)
update subscription_test t
set taken_at = now()
from waiting
where t.id = waiting.id
returning t.id`
