import type { Database } from '@posthorn/engine'

/**
 * What autovacuum would do in the minutes after so many rows came at once: statistics, and hint bits of all pages.
 *
 * Takes the locks of a plain VACUUM, beside which everything may read and write.
 */
export async function vacuum({ pool }: Database): Promise<void> {
  await pool.query('vacuum (analyze)')
}
