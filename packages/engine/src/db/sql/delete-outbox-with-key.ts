import type { Tx } from '../transaction.ts'

/**
 * Takes everything with this business key out of the outbox of a tenant, waiting or refused; all of the tenant's without a
 * key. Answers how many there were. A value that is a number, which is refused when it is published, counts by its text.
 *
 * Locks the rows; reads the table, which is small.
 */
export async function deleteOutboxWithKey(
  tx: Tx,
  of: { tenantId: string; key: { name: string; value: string } | undefined },
): Promise<number> {
  const { name = null, value = null } = of.key ?? {}
  return tx.$executeRaw`
    delete from outbox_event
    where tenant_id = ${of.tenantId} and (${name}::text is null or keys ->> ${name}::text = ${value}::text)`
}
