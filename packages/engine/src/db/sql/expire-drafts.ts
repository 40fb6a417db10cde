import { type Runner, run } from './statement.ts'

/**
 * Ends up to `rowsMax` drafts whose time is over. Answers how many.
 *
 * Locks those replays and skips what others have locked: one that is being run or called off at this moment is left to
 * them, and two callers share the rest. Walks `replay_draft_expires_at_idx`.
 */
export async function expireDrafts(runner: Runner, rowsMax: number): Promise<number> {
  const rows = await run<{ count: number }>(runner, { name: 'expire-drafts', text, values: [rowsMax] })
  return rows[0]?.count ?? 0
}

const text = `
with due as (
  select id from replay
  where state = 'draft' and expires_at <= now()
  order by expires_at
  limit $1
  for update skip locked
), expired as (
  update replay r set state = 'expired', finished_at = now() from due where r.id = due.id returning 1
)
select count(*)::int as count from expired`
