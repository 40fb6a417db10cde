import type { AuditAction, Uuid } from '@posthorn/contract'

/** One request by somebody, as it will stand in the audit log. */
export type Audit = {
  id: Uuid
  action: AuditAction
  actor: string
  onBehalfOf: string | null
  reason: string | null
  requestId: string
  /** Set with the entry. A request whose answer is 2xx has one. */
  isWritten: boolean
}
