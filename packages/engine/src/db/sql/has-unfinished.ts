import pg from 'pg'
import { ask } from '../unavailable.ts'
import type { Runner } from './statement.ts'

/**
 * Whether a partition of `delivery`, attached or not, holds a delivery that is not finished. Locks nothing; reads the
 * partition until it finds one.
 */
export async function hasUnfinished(runner: Runner, name: string): Promise<boolean> {
  const text = `select exists (select from ${pg.escapeIdentifier(name)} where finished_at is null) as found`
  const result = await ask(() => runner.query<{ found: boolean }>(text))
  return result.rows[0]?.found ?? false
}
