import type { Uuid } from '@posthorn/contract'
import type { Tx } from '../transaction.ts'

export type PointedRow = {
  id: Uuid
  keys: unknown
  /** Of its event type, as they are now. */
  pointers: Record<string, string>
  /** The exact JSON text. */
  data: string
}

/** What its keys are made of, of events in the outbox. Locks nothing; walks the primary keys. */
export async function selectOutboxData(tx: Tx, ids: readonly Uuid[]): Promise<PointedRow[]> {
  return tx.$queryRaw<PointedRow[]>`
    select e.id, e.keys, t.key_pointers as pointers, e.data::text as data
    from outbox_event e
    join event_type t on t.name = e.type
    where e.id = any(${ids}::uuid[])`
}
