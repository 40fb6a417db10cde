import type { ReplayState, Uuid } from '@posthorn/contract'
import { type Runner, run } from './statement.ts'

/**
 * Runs a draft whose time is not over. Answers whether there was one in such a state.
 *
 * Locks the replay. Of this and `expire-drafts`, whoever comes second waits for the row and finds it in another state: no
 * draft is both run and expired.
 */
export async function runReplay(runner: Runner, replayId: Uuid, states: readonly ReplayState[]): Promise<boolean> {
  const rows = await run<{ id: Uuid }>(runner, { name: 'run-replay', text, values: [replayId, states] })
  return rows.length > 0
}

const text = `
update replay
set state = 'running', started_at = now()
where id = $1 and state = any($2::text[]) and expires_at > now()
returning id`
