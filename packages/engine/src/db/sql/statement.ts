/**
 * A hand-written statement: its text is constant, so each connection prepares it once under its name.
 *
 * The files beside this one hold one statement each, with what it locks, which index it walks and what two concurrent
 * callers see. Nothing else in the house contains SQL.
 */
import type pg from 'pg'
import { ask } from '../unavailable.ts'

/** Who can run a statement: the pool, or a client inside a transaction. */
export type Runner = Pick<pg.Pool, 'query'>

/**
 * Runs a named statement and gives its rows.
 *
 * @throws DatabaseUnavailable when the database could not be asked; `pg.DatabaseError` when it refused the statement
 */
export async function run<Row extends pg.QueryResultRow>(
  runner: Runner,
  statement: { name: string; text: string; values: readonly unknown[] },
): Promise<Row[]> {
  const result = await ask(() =>
    runner.query<Row>({ name: statement.name, text: statement.text, values: [...statement.values] }),
  )
  return result.rows
}
