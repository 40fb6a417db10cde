import type { ReplayChoice, Uuid } from '@posthorn/contract'
import { type Runner, run } from './statement.ts'

export type NewReplay = {
  id: Uuid
  tenantId: string | null
  /** JSON, as it was given. */
  filter: string
  choice: ReplayChoice
  since: Date | null
  until: Date
  ratePerSecond: number | null
  note: string | null
  actor: string
  targetUrl: string | null
  /** Sealed. */
  targetKey: Uint8Array | null
  /** How long it may be run. */
  draftHours: number
}

/** Stores a replay as a draft, still without items, within the transaction that writes them. Locks the new row only. */
export async function insertReplay(runner: Runner, replay: NewReplay): Promise<void> {
  await run(runner, {
    name: 'insert-replay',
    text,
    values: [
      replay.id,
      replay.tenantId,
      replay.filter,
      replay.choice,
      replay.since,
      replay.until,
      replay.ratePerSecond,
      replay.note,
      replay.actor,
      replay.targetUrl,
      replay.targetKey,
      replay.draftHours,
    ],
  })
}

const text = `
insert into replay (id, tenant_id, filter, choice, since, until, rate_per_second, note, actor, target_url, target_key_sealed,
  expires_at)
values ($1, $2, $3::jsonb, $4, $5, $6, $7, $8, $9, $10, $11, now() + $12::int * interval '1 hour')`
