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
  'attempt_minute_kept',
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

/** Every function that our migrations make: dropping its table leaves it behind. */
const ourFunctions = ['outbox_event_written()', 'refuse_audit_change()']

/** Drops our tables, our functions and the queue's schema, and nothing else. Locks each exclusively; one transaction. */
export async function dropTables(client: pg.Client): Promise<void> {
  await client.query(`
    drop table if exists ${ourTables.join(', ')} cascade;
    drop function if exists ${ourFunctions.join(', ')};
    drop schema if exists pgboss cascade`)
}
