import type { Uuid } from '@posthorn/contract'
import type { Tx } from '../transaction.ts'

/**
 * Locks a live subscription until the transaction ends, so that what is read of it may be written back. Answers whether
 * there is one (within a tenant, unless `tenantId` is null). Dispatchers that disable or slow it down wait meanwhile;
 * claims do not.
 */
export async function lockSubscription(tx: Tx, id: Uuid, tenantId: string | null): Promise<boolean> {
  const rows = await tx.$queryRaw<{ id: string }[]>`
    select id
    from subscription
    where id = ${id}::uuid and (${tenantId}::text is null or tenant_id = ${tenantId}) and deleted_at is null
    for no key update`
  return rows.length > 0
}
