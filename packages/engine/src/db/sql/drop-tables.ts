import type pg from 'pg'

/** Every table that our migrations make, and the table in which they are noted. */
const ourTables = [
  'tenant',
  'event_type',
  'event_type_version',
  'subscription',
  'subscription_test',
  'transform',
  'secret',
  'event',
  'event_key',
  'event_publish_id',
  'delivery',
  'backlog',
  'attempt',
  'attempt_minute',
  'attempt_hour',
  'system_event',
  'outbox_event',
  'replay',
  'replay_item',
  'api_key',
  'portal_session',
  'audit_entry',
  'erasure',
  'idempotency_key',
  'dispatcher',
  '_prisma_migrations',
]

/** Drops our tables, the function of their trigger and the queue's schema, and nothing else. Locks each exclusively; one transaction. */
export async function dropTables(client: pg.Client): Promise<void> {
  const tables = `drop table if exists ${ourTables.join(', ')} cascade`
  await client.query(`${tables}; drop function if exists outbox_event_written; drop schema if exists pgboss cascade`)
}
