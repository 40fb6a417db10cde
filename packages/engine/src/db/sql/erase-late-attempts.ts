import { type Runner, run } from './statement.ts'

/**
 * Takes the content of attempts away that were written down after their delivery had been erased: a dispatcher that was
 * stalled past its lease tells of them when it wakes up. Looks at what was erased in the last days. Answers how many.
 *
 * Locks the attempts; walks `delivery_erased_at_idx`, then `attempt_delivery_id_number_idx`.
 */
export async function eraseLateAttempts(runner: Runner, days: number): Promise<number> {
  const rows = await run<{ count: number }>(runner, { name: 'erase-late-attempts', text, values: [days] })
  return rows[0]?.count ?? 0
}

const text = `
with emptied as (
  update attempt a
  set request_headers = '{}', response_headers = '{}', response_body = '', response_truncated = false, reason = null,
      erased_at = now()
  from delivery d
  where d.erased_at > now() - $1::int * interval '1 day' and a.delivery_id = d.id and a.erased_at is null
  returning 1
)
select count(*)::int as count from emptied`
