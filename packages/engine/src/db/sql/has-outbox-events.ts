import { type Runner, run } from './statement.ts'

/** Whether anything waits in the outbox. Locks nothing; looks at the first entry of `outbox_event_waiting_idx`. */
export async function hasOutboxEvents(runner: Runner): Promise<boolean> {
  const [row] = await run<{ some: boolean }>(runner, { name: 'has-outbox-events', text, values: [] })
  return row?.some === true
}

const text = `
select exists (
  select from outbox_event where refused_at is null and (not_before is null or not_before <= now())
) as some`
