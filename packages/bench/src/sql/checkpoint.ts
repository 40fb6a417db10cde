import type { Database } from '@posthorn/engine'

/** Writes out what filling the database has changed, so that no measurement pays for it. Locks nothing. */
export async function checkpoint({ pool }: Database): Promise<void> {
  await pool.query('checkpoint')
}
