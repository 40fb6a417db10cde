import type { AuditAction, Uuid } from '@posthorn/contract'
import { type Runner, run } from './statement.ts'

export type NewAuditEntry = {
  id: Uuid
  tenantId: string | null
  actor: string
  onBehalfOf: string | null
  action: AuditAction
  target: string
  reason: string | null
  requestId: string | null
}

/** Writes an audit entry, in the transaction of the change that it tells of. Locks the new row only. */
export async function insertAuditEntry(runner: Runner, entry: NewAuditEntry): Promise<void> {
  const { id, tenantId, actor, onBehalfOf, action, target, reason, requestId } = entry
  const values = [id, tenantId, actor, onBehalfOf, action, target, reason, requestId]
  await run(runner, { name: 'insert-audit-entry', text, values })
}

const text = `
insert into audit_entry (id, tenant_id, actor, on_behalf_of, action, target, reason, request_id)
values ($1, $2, $3, $4, $5, $6, $7, $8)`
