import type { Uuid } from '@posthorn/contract'
import pg from 'pg'
import type { Runner } from './statement.ts'

/**
 * Makes the partition `name` of `table` for the ids from `from` up to, not including, `to`.
 *
 * First a table of its own, like the parent to the last index and CHECK, then attached: attaching takes SHARE UPDATE
 * EXCLUSIVE on the parent, so reads and writes go on, where `create table … partition of` would take ACCESS EXCLUSIVE
 * and queue everything behind the longest running statement. The new table is empty, so checking its bound costs
 * nothing, and its indexes become parts of the parent's.
 *
 * The fillfactor is the percentage of a page that inserts may fill; a partitioned table cannot carry it for its partitions.
 *
 * Two callers at once: callers hold the partitions' lock; without it the second fails with 42P07 duplicate_table.
 */
export async function createPartition(
  runner: Runner,
  partition: { table: string; name: string; from: Uuid; to: Uuid; fillfactor: number },
): Promise<void> {
  const table = pg.escapeIdentifier(partition.table)
  const name = pg.escapeIdentifier(partition.name)
  const bounds = `from (${pg.escapeLiteral(partition.from)}) to (${pg.escapeLiteral(partition.to)})`
  await runner.query(`
    create table ${name} (like ${table} including all) with (fillfactor = ${Number(partition.fillfactor)});
    alter table ${table} attach partition ${name} for values ${bounds}`)
}
