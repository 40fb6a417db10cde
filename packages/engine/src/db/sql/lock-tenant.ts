import type { Tx } from '../transaction.ts'

/**
 * Locks a tenant's row until the transaction ends, so that two callers count its subscriptions one after the other.
 * Answers whether there is such a tenant. Publishing and reading go on: the lock leaves the key alone.
 */
export async function lockTenant(tx: Tx, id: string): Promise<boolean> {
  const rows = await tx.$queryRaw<{ id: string }[]>`select id from tenant where id = ${id} for no key update`
  return rows.length > 0
}
