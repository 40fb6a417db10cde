import type { Uuid } from '@posthorn/contract'
import { type Runner, run } from './statement.ts'

/**
 * Says that a dispatcher is alive, forgets those not heard of for long, and answers how many are alive.
 * Locks the dispatcher's own row, and dead rows that nobody updates any more.
 */
export async function beatDispatcher(runner: Runner, id: Uuid, aliveWithinMs: number): Promise<number> {
  const rows = await run<{ alive: number }>(runner, { name: 'beat-dispatcher', text, values: [id, aliveWithinMs] })
  return rows[0]?.alive ?? 1
}

const text = `
with beat as (
  insert into dispatcher (id, started_at, heartbeat_at) values ($1, now(), now())
  on conflict (id) do update set heartbeat_at = now()
), forgotten as (
  delete from dispatcher where id <> $1 and heartbeat_at < now() - 10 * $2::int * interval '1 millisecond'
)
select 1 + count(*)::int as alive
from dispatcher
where id <> $1 and heartbeat_at >= now() - $2::int * interval '1 millisecond'`
