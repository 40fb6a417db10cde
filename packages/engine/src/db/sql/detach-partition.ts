import pg from 'pg'
import { ask } from '../unavailable.ts'
import type { Runner } from './statement.ts'

/**
 * Takes a partition off its table, without making readers or writers of the table wait: `concurrently` takes SHARE UPDATE
 * EXCLUSIVE on the parent and waits for the transactions that already use it. Afterwards nobody writes to it any more.
 *
 * With `isPending` it ends what another call began and did not end. Not to be run inside of a transaction. Two callers at
 * once: the second fails with 55P03 or 42P01.
 */
export async function detachPartition(
  runner: Runner,
  { table, name, isPending }: { table: string; name: string; isPending: boolean },
): Promise<void> {
  const how = isPending ? 'finalize' : 'concurrently'
  await ask(() =>
    runner.query(`alter table ${pg.escapeIdentifier(table)} detach partition ${pg.escapeIdentifier(name)} ${how}`),
  )
}
