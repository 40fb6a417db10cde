import type { Uuid } from '@posthorn/contract'
import { type Runner, run } from './statement.ts'

export type NewEvent = {
  id: Uuid
  tenantId: string
  type: string
  timestamp: Date
  data: string
  keys: Record<string, string>
  /** What its requests carry besides; null for nothing. */
  headers: Record<string, string> | null
  publishId: string | null
  /** Identifies it where the publisher gave no id of its own; never shown. */
  onceId: string | null
  traceparent: string | null
  schemaVersion: number | null
  /** JSON, or null when the data fits. */
  validationErrors: string | null
}

export type NewDelivery = { id: Uuid; eventId: Uuid; subscriptionId: Uuid; shard: number; held: boolean }

/**
 * Stores events with their business keys, their deliveries and their work, all or nothing: one statement is one
 * transaction. Answers with the ids of the events that are new; an event whose `publish_id`, or `once_id` in its place, was
 * published before is left out, with its deliveries. Of two drafts under one id the first is stored.
 *
 * Locks the new rows only. Two callers with the same `(tenant_id, publish_id)`: the second waits for the first to commit
 * and then finds the row; drafts go in one order, so two batches never wait for each other in a circle.
 */
export async function insertEvents(
  runner: Runner,
  events: readonly NewEvent[],
  deliveries: readonly NewDelivery[],
): Promise<Set<Uuid>> {
  const rows = await run<{ id: string }>(runner, {
    name: 'insert-events',
    text,
    values: [
      events.map((event) => event.id),
      events.map((event) => event.tenantId),
      events.map((event) => event.type),
      events.map((event) => event.timestamp),
      events.map((event) => event.data),
      events.map((event) => JSON.stringify(event.keys)),
      events.map((event) => event.publishId),
      events.map((event) => event.traceparent),
      events.map((event) => event.schemaVersion),
      events.map((event) => event.validationErrors),
      deliveries.map((delivery) => delivery.id),
      deliveries.map((delivery) => delivery.eventId),
      deliveries.map((delivery) => delivery.subscriptionId),
      deliveries.map((delivery) => delivery.shard),
      deliveries.map((delivery) => delivery.held),
      events.map((event) => event.publishId ?? event.onceId),
      events.map((event) => event.headers && JSON.stringify(event.headers)),
    ],
  })
  return new Set(rows.map((row) => row.id))
}

const text = `
with draft as (
  select *
  from unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[], $5::text[], $6::text[], $7::text[], $8::text[], $9::int[], $10::text[], $16::text[], $17::text[])
    with ordinality as d (id, tenant_id, type, "timestamp", data, keys, publish_id, traceparent, schema_version, validation_errors, identity, headers, place)
), identified as (
  insert into event_publish_id (tenant_id, publish_id, event_id)
  select tenant_id, identity, id from draft where identity is not null
  order by tenant_id, identity, place
  on conflict do nothing
  returning event_id
), fresh as (
  select * from draft where identity is null or id in (select event_id from identified)
), stored as (
  insert into event (id, tenant_id, type, "timestamp", data, keys, publish_id, traceparent, schema_version, validation_errors, headers)
  select id, tenant_id, type, "timestamp", data, keys::jsonb, publish_id, traceparent, schema_version, validation_errors::jsonb, headers::jsonb
  from fresh
), findable as (
  insert into event_key (value, tenant_id, name, event_id)
  select k.value, f.tenant_id, k.key, f.id
  from fresh f
  cross join lateral jsonb_each_text(f.keys::jsonb) k
  where f.keys <> '{}'
), planned as (
  select p.id, f.tenant_id, f.id as event_id, f.type, p.subscription_id, p.shard, p.held
  from unnest($11::uuid[], $12::uuid[], $13::uuid[], $14::smallint[], $15::boolean[]) as p (id, event_id, subscription_id, shard, held)
  join fresh f on f.id = p.event_id
), owed as (
  insert into delivery (id, tenant_id, event_id, event_type, subscription_id, state)
  select id, tenant_id, event_id, type, subscription_id, case when held then 'held' else 'pending' end
  from planned
), due as (
  insert into backlog (delivery_id, tenant_id, event_id, subscription_id, shard, next_attempt_at)
  select id, tenant_id, event_id, subscription_id, shard, now()
  from planned
  where not held
)
select id from fresh`
