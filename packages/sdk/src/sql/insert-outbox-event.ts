/** What `prisma.$transaction` hands to its function; the client itself would be a transaction of its own. */
export type PrismaTransaction = {
  $executeRawUnsafe(query: string, ...values: unknown[]): PromiseLike<number>
}

/** A client of `pg` between BEGIN and COMMIT, or whatever else runs SQL with numbered parameters. */
export type SqlTransaction = {
  query(text: string, values: unknown[]): PromiseLike<unknown>
}

/** All of it text: every client passes that on as it is, whatever it makes of other values. */
export type OutboxRow = {
  id: string
  tenantId: string
  type: string
  /** JSON. */
  data: string
  publishId: string | null
  /** Null: now. */
  timestamp: string | null
  /** JSON. */
  keys: string
  /** JSON; null for none. */
  headers: string | null
  /** JSON; null for all. */
  subscriptions: string | null
  traceparent: string | null
}

/**
 * Writes a row into Posthorn's outbox, inside the caller's transaction. It needs the right to insert into that table and
 * no other. Locks the new row only, so two callers never wait for each other; its trigger wakes the dispatchers when the
 * transaction commits.
 */
export async function insertOutboxEvent(
  tx: PrismaTransaction | SqlTransaction,
  schema: string,
  row: OutboxRow,
): Promise<void> {
  const values = [
    row.id,
    row.tenantId,
    row.type,
    row.data,
    row.publishId,
    row.timestamp,
    row.keys,
    row.subscriptions,
    row.traceparent,
    ...(row.headers === null ? [] : [row.headers]),
  ]
  const text = statement(schema, row.headers !== null)
  if ('$executeRawUnsafe' in tx) await tx.$executeRawUnsafe(text, ...values)
  else await tx.query(text, values)
}

/**
 * A schema cannot be a parameter; it is quoted as an identifier. Headers are named only where there are some: the tables
 * may be those of a Posthorn older than this file, which has no such column.
 */
function statement(schema: string, hasHeaders: boolean): string {
  const [column, value] = hasHeaders ? [', headers', ', $10::jsonb'] : ['', '']
  return `insert into "${schema.replaceAll('"', '""')}".outbox_event
  (id, tenant_id, type, data, publish_id, "timestamp", keys, subscriptions, traceparent${column})
values
  ($1::uuid, $2::text, $3::text, $4::json, $5::text, coalesce($6::timestamptz, clock_timestamp()), $7::jsonb,
   case when $8::jsonb is not null then array(select jsonb_array_elements_text($8::jsonb)) end, $9::text${value})`
}
