import type { Uuid } from '@posthorn/contract'
import pg from 'pg'
import { ask } from '../unavailable.ts'
import type { Runner } from './statement.ts'

/**
 * Puts a partition back that was taken off, because something of it is still to be sent. Takes SHARE UPDATE EXCLUSIVE on
 * the parent, so reads and writes go on.
 */
export async function attachPartition(
  runner: Runner,
  partition: { table: string; name: string; from: Uuid; to: Uuid },
): Promise<void> {
  const { table, name, from, to } = partition
  const bounds = `from (${pg.escapeLiteral(from)}) to (${pg.escapeLiteral(to)})`
  await ask(() =>
    runner.query(
      `alter table ${pg.escapeIdentifier(table)} attach partition ${pg.escapeIdentifier(name)} for values ${bounds}`,
    ),
  )
}
