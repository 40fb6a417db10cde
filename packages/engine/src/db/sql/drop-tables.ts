import type pg from 'pg'

/** Every table that our migrations make, and the table in which they are noted. */
const ourTables = [
  'tenant, event_type, event_type_version, subscription, transform, secret, event, event_publish_id, delivery, backlog',
  'attempt, system_event, subscription_test, replay, api_key, idempotency_key, dispatcher, _prisma_migrations',
]

/** Drops our tables and the queue's schema, and nothing else. Locks each exclusively; one transaction. */
export async function dropTables(client: pg.Client): Promise<void> {
  await client.query(`drop table if exists ${ourTables.join(', ')} cascade; drop schema if exists pgboss cascade`)
}
