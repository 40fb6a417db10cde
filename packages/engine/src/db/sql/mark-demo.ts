import type pg from 'pg'

/** Marks an empty database as a demo's own, by a table without columns. Two demos at once: the second finds it there. */
export async function markDemo(client: pg.Client): Promise<void> {
  await client.query('create table if not exists posthorn_demo ()')
}
