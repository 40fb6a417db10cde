/**
 * A database for the demo, which forgets what an earlier demo left unless it is told to keep it.
 *
 * The demo empties a database only when the demo itself has filled it: it marks what it makes and touches nothing else.
 */
import pg from 'pg'
import { dropTables } from './sql/drop-tables.ts'
import { markDemo } from './sql/mark-demo.ts'
import { selectDemoMark } from './sql/select-demo-mark.ts'
import { ask } from './unavailable.ts'

/** Refusal to use a database that holds something else. */
export class DemoDatabaseError extends Error {
  override readonly name = 'DemoDatabaseError'
  readonly code = 'database_not_ours'
}

/**
 * Makes a database ready for a demo: empty, or with `keep` as the last demo left it.
 *
 * @param migrate brings the empty database to our schema
 * @throws DemoDatabaseError when it holds tables that no demo made; DatabaseUnavailable
 */
export async function prepareDemoDatabase(url: string, keep: boolean, migrate: () => Promise<unknown>): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 })
  client.on('error', () => undefined) // the query under way rejects
  await ask(() => client.connect())
  try {
    const { tables, marked } = await selectDemoMark(client)
    if (tables > 0 && !marked) {
      throw new DemoDatabaseError(
        'the database of DATABASE_URL holds tables that no demo made. Give an empty database, or unset DATABASE_URL to use the embedded one.',
      )
    }
    // First the mark, then the tables: a demo that is killed in between knows its database again.
    await markDemo(client)
    if (!keep) await dropTables(client)
    await migrate()
  } finally {
    await client.end()
  }
}
