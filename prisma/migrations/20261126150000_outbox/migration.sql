-- Events that others wrote here inside a transaction of their own. A dispatcher publishes each and takes it away; what can
-- never be published stays, with the reason.
create table outbox_event (
  -- Published under this id where the writer gave no publish id: however often it is, it is stored once.
  id              uuid not null default gen_random_uuid(),
  -- Order of writing.
  place           bigint generated always as identity,
  tenant_id       text not null,
  type            text not null,
  -- `json` and not `jsonb`: its bytes are kept.
  data            json not null,
  publish_id      text,
  "timestamp"     timestamptz(3) not null default clock_timestamp(),
  keys            jsonb not null default '{}',
  subscriptions   text[],
  traceparent     text,
  written_at      timestamptz(3) not null default clock_timestamp(),
  -- How often publishing it failed by a fault of ours, and when it is tried again.
  tries           smallint not null default 0,
  not_before      timestamptz(3),
  refused_at      timestamptz(3),
  problem         jsonb,
  primary key (id),
  -- Whoever writes what can never be published is told so while the transaction can still be mended.
  constraint outbox_event_tenant_id check (tenant_id ~ '^[A-Za-z0-9_.:@|-]{1,128}$'),
  constraint outbox_event_type check (length(type) <= 128 and type ~ '^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$'),
  constraint outbox_event_data check (octet_length(data::text) <= 262144),
  constraint outbox_event_publish_id check (length(publish_id) between 1 and 256),
  constraint outbox_event_keys check (keys @> '{}'),
  constraint outbox_event_refused_for_a_reason check ((refused_at is null) = (problem is null))
);
create index outbox_event_waiting_idx on outbox_event (place) where refused_at is null;
create index outbox_event_refused_idx on outbox_event (place) where refused_at is not null;

-- Wakes the dispatchers when the writer commits, but only if nothing waits yet: a commit with NOTIFY takes a lock of the
-- whole database, and it is the writer's own database. While something waits, somebody is at it or looks soon. It may look
-- at the table also where the writer may only add to it.
create function outbox_event_written() returns trigger language plpgsql
security definer set search_path = pg_catalog, pg_temp as $$
declare
  waiting boolean;
begin
  execute format('select exists (select from %I.outbox_event where refused_at is null)', tg_table_schema) into waiting;
  if not waiting then
    perform pg_notify('posthorn_outbox', '');
  end if;
  return null;
end
$$;
create trigger outbox_event_written before insert on outbox_event
  for each statement execute function outbox_event_written();
