import type { Database } from '@posthorn/engine'

/** Bytes of write-ahead log that the server has written since its first start. Locks nothing. */
export async function readWalBytes({ pool }: Database): Promise<number> {
  const { rows } = await pool.query<{ bytes: number }>(text)
  return rows[0]?.bytes ?? 0
}

const text = `select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::float8 as bytes`
