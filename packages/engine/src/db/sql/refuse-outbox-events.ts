import type { Uuid } from '@posthorn/contract'
import { type Runner, run } from './statement.ts'

export type Refusal = {
  id: Uuid
  /** JSON: the code, the detail and the places. */
  problem: string
}

/**
 * Notes of events in the outbox that they can never be published as they are, and why. They stay, and nobody tries them
 * again by himself. Locks the rows by primary key.
 */
export async function refuseOutboxEvents(runner: Runner, refusals: readonly Refusal[]): Promise<void> {
  await run(runner, {
    name: 'refuse-outbox-events',
    text,
    values: [refusals.map(({ id }) => id), refusals.map(({ problem }) => problem)],
  })
}

const text = `
update outbox_event e
set refused_at = now(), problem = r.problem::jsonb
from unnest($1::uuid[], $2::text[]) as r (id, problem)
where e.id = r.id`
