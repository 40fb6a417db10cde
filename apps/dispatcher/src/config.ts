/** The dispatcher's settings. */
import { auditRetentionDaysDefault, integer } from '@posthorn/engine'

export const dispatcherSettings = {
  POSTHORN_CONCURRENCY: integer(
    { min: 1, max: 5000, default: 256 },
    'attempts in flight at once in one dispatcher, not counting those that receivers leave hanging',
  ),
  POSTHORN_DRAIN_SECONDS: integer(
    { min: 1, max: 300, default: 35 },
    'how long a stopping dispatcher waits for attempts in flight before it breaks them off',
  ),
  POSTHORN_AUDIT_RETENTION_DAYS: integer(
    { min: 30, max: 3650, default: auditRetentionDaysDefault },
    'how many days the audit log goes back; the database itself refuses to take away what is younger than 30',
  ),
}
