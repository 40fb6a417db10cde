-- Rollups: attempts counted by the minute they began in, and later by the hour, for metrics that never read attempts.

alter table attempt
  -- Its lease was lost before it was recorded: what was written here first was the note of its successor.
  add column overtaken boolean not null default false;

create table attempt_minute (
  starts_at       timestamptz(3) not null,
  tenant_id       text not null,
  subscription_id uuid not null,
  event_type      text not null,
  trigger         text not null,
  -- Empty for attempts that were accepted: a part of the key cannot be null.
  failure_code    text not null,
  -- Host and port of the URL that was called.
  host            text not null,
  attempts        integer not null,
  -- Deliveries that ended by such an attempt: delivered, or failed for good.
  ended           integer not null,
  -- Deliveries whose attempt before, if there was one, had not failed by the same code.
  entered         integer not null,
  first_at        timestamptz(3),
  last_at         timestamptz(3),
  -- One of the deliveries.
  delivery_id     uuid,
  -- How many attempts waited so long (our part), and took so long (the receiver's), by the bounds in engine/src/histogram.ts.
  waits           integer[] not null,
  times           integer[] not null,
  primary key (starts_at, tenant_id, subscription_id, event_type, trigger, failure_code, host)
) with (
  -- A row is changed by each batch of its minute, and no index of it changes by that.
  fillfactor = 60,
  autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0
);
create index attempt_minute_tenant_id_starts_at_idx on attempt_minute (tenant_id, starts_at);

create table attempt_hour (like attempt_minute including comments);
alter table attempt_hour
  add primary key (starts_at, tenant_id, subscription_id, event_type, trigger, failure_code, host);
create index attempt_hour_tenant_id_starts_at_idx on attempt_hour (tenant_id, starts_at);
