/**
 * A transaction is a type: a function that must run inside one says so in its signature, and a bare client will not do.
 */
import type { Database } from './database.ts'
import type { Prisma } from './generated/client.ts'

declare const insideTransaction: unique symbol

/** A Prisma client bound to an open transaction. */
export type Tx = Prisma.TransactionClient & { readonly [insideTransaction]: true }

/**
 * Runs `work` in one transaction; it commits when `work` resolves and rolls back when it throws.
 *
 * @param options.timeoutMs how long it may take; Prisma's 5 s when left out
 */
export function transaction<T>(
  db: Database,
  work: (tx: Tx) => Promise<T>,
  options: { timeoutMs?: number } = {},
): Promise<T> {
  const { timeoutMs: timeout } = options
  // The only place that may say that a client is inside a transaction.
  return db.prisma.$transaction((client) => work(client as Tx), timeout === undefined ? {} : { timeout })
}
