import type { Uuid } from '@posthorn/contract'
import type { Tx } from '../transaction.ts'

/**
 * What is in the outbox for a tenant, waiting or refused, and might get this business key when it is published: its event
 * type reads the key out of the data, and the writer has not given it.
 *
 * Locks nothing; reads the table, which is small.
 */
export async function selectOutboxPointed(tx: Tx, of: { tenantId: string; keyName: string }): Promise<Uuid[]> {
  const rows = await tx.$queryRaw<{ id: Uuid }[]>`
    select e.id
    from outbox_event e
    join event_type t on t.name = e.type
    where e.tenant_id = ${of.tenantId} and t.key_pointers ? ${of.keyName} and not e.keys ? ${of.keyName}
    order by e.place`
  return rows.map(({ id }) => id)
}
