/**
 * A hand-written statement: its text is constant, so each connection prepares it once under its name.
 *
 * The files beside this one hold one statement each, with what it locks, which index it walks and what two concurrent
 * callers see. Nothing else in the house contains SQL.
 */
import type { Uuid } from '@posthorn/contract'
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

/**
 * An array parameter whose elements need no quotes in PostgreSQL's array syntax: ids, numbers, booleans and times. The
 * driver looks at every character of every element for some that must be escaped; with hundreds of attempts in one
 * statement that was a tenth of the CPU of a busy dispatcher.
 */
export function plainArray(elements: readonly (Uuid | number | boolean | Date | null)[]): string {
  return `{${elements.map(plainElement).join(',')}}`
}

function plainElement(element: Uuid | number | boolean | Date | null): string {
  if (element === null) return 'NULL'
  if (element instanceof Date) return element.toISOString()
  return String(element)
}
