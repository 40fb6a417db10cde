/**
 * The audit log: who changed, revealed, resent or replayed what, and why.
 *
 * An entry is written by the transaction of its change, so there is neither one without the other. Who asks is told to the
 * engine with the database: a rule that changes something names the target, in its own transaction.
 */
import type { AuditAction } from '@posthorn/contract'
import type { Audit } from './db/audit-note.ts'
import type { Database } from './db/database.ts'
import type { AuditEntry, Prisma } from './db/generated/client.ts'
import { poolTransaction } from './db/pool-transaction.ts'
import { insertAuditEntry } from './db/sql/insert-audit-entry.ts'
import type { Runner } from './db/sql/statement.ts'
import type { Tx } from './db/transaction.ts'
import { isUuidKey, type Page, type PageRequest, planPage } from './paging.ts'
import { idsWithin, type TimeRange } from './time-range.ts'

export type { Audit } from './db/audit-note.ts'
export type { AuditEntry } from './db/generated/client.ts'

/** What was changed, and whose it is: null for what belongs to no tenant. */
export type AuditTarget = { target: string; tenantId: string | null }

/** The same database, for somebody. */
export function auditedDatabase(db: Database, audit: Audit): Database {
  return { ...db, audit }
}

/** Writes the entry of a change into its transaction. What the process itself does has none. */
export async function writeAudit(tx: Tx, { audit }: Pick<Database, 'audit'>, about: AuditTarget): Promise<void> {
  if (audit === undefined) return
  await tx.auditEntry.create({ data: entryOf(audit, about) })
  audit.isWritten = true
}

/** The same for whoever has a transaction of hand-written statements. */
export async function writeAuditOn(
  runner: Runner,
  { audit }: Pick<Database, 'audit'>,
  about: AuditTarget,
): Promise<void> {
  if (audit === undefined) return
  await insertAuditEntry(runner, entryOf(audit, about))
  audit.isWritten = true
}

/**
 * Runs a change that is a statement of its own in one transaction with its entry. `work` calls `write` when it has changed
 * something.
 */
export async function inAuditedTransaction<T>(
  db: Database,
  work: (runner: Runner, write: (about: AuditTarget) => Promise<void>) => Promise<T>,
): Promise<T> {
  if (db.audit === undefined) return work(db.pool, async () => undefined)
  return poolTransaction(db, (runner) => work(runner, (about) => writeAuditOn(runner, db, about)))
}

function entryOf({ isWritten: _, ...audit }: Audit, about: AuditTarget) {
  return { ...audit, ...about }
}

export type AuditFilter = TimeRange & {
  tenants?: readonly string[] | undefined
  actors?: readonly string[] | undefined
  actions?: readonly AuditAction[] | undefined
  targets?: readonly string[] | undefined
}

/** By the time they were written. */
export async function listAuditEntries(
  db: Database,
  filter: AuditFilter,
  request: PageRequest,
): Promise<Page<AuditEntry>> {
  const plan = planPage('audit', request, isUuidKey)
  const [beyond] = plan.beyond ?? []
  const { from, before } = idsWithin(filter)
  const ids: Prisma.AuditEntryWhereInput[] = []
  if (from !== undefined) ids.push({ id: { gte: from } })
  if (before !== undefined) ids.push({ id: { lt: before } })
  if (beyond !== undefined) ids.push({ id: plan.order === 'asc' ? { gt: beyond } : { lt: beyond } })
  const rows = await db.prisma.auditEntry.findMany({
    where: {
      ...oneOf('tenantId', filter.tenants),
      ...oneOf('actor', filter.actors),
      ...oneOf('action', filter.actions),
      ...oneOf('target', filter.targets),
      AND: ids,
    },
    orderBy: { id: plan.order },
    take: plan.take,
  })
  return plan.page(rows, (entry) => [entry.id])
}

function oneOf(column: string, values: readonly string[] | undefined) {
  return values === undefined ? {} : { [column]: { in: [...values] } }
}
