import type { Tx } from '../transaction.ts'

/**
 * Locks an event type's row until the transaction ends, so that what is read of it may be written back. Answers whether
 * there is such an event type. Publishing and reading go on.
 */
export async function lockEventType(tx: Tx, name: string): Promise<boolean> {
  const rows = await tx.$queryRaw<
    { name: string }[]
  >`select name from event_type where name = ${name} for no key update`
  return rows.length > 0
}
