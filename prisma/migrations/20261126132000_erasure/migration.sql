-- Retention and erasure: content goes, the fact of the delivery stays.
alter table event add column erased_at timestamptz(3);
alter table attempt add column erased_at timestamptz(3);
alter table delivery
  add column erased_at timestamptz(3),
  -- Whatever else happens, nothing is ever sent of an event whose content is gone.
  add constraint delivery_erased_is_final check (erased_at is null or state in ('delivered', 'failed', 'canceled')),
  drop constraint delivery_canceled_reason,
  add constraint delivery_canceled_reason check (
    canceled_reason in ('canceled_by_person', 'resume_none', 'subscription_deleted', 'tenant_deleted', 'erased'));
-- The recently erased: an attempt that a stalled dispatcher writes down late is found by them.
create index delivery_erased_at_idx on delivery (erased_at) where erased_at is not null;

-- What is kept shorter than the installation keeps it, and how far that has been done: an event id.
alter table tenant
  add column retention_days integer,
  add column retained_from uuid,
  add constraint tenant_retention_days check (retention_days between 1 and 3650);

create table erasure (
  id              uuid primary key,
  tenant_id       text not null,
  -- The business key whose events it is about; null for all of the tenant's. The value goes when it is completed.
  key_name        text,
  key_value       text,
  state           text not null default 'running',
  actor           text not null,
  reason          text not null,
  -- Events before this id. What is published later is not part of it.
  before_event_id uuid not null,
  -- How far the present pass is, and whether it came upon events that had an attempt in flight.
  pass_from       uuid,
  left_behind     boolean not null default false,
  event_count     integer not null default 0,
  delivery_count  integer not null default 0,
  attempt_count   integer not null default 0,
  canceled_count  integer not null default 0,
  created_at      timestamptz(3) not null default current_timestamp,
  finished_at     timestamptz(3),
  constraint erasure_state check (state in ('running', 'completed')),
  constraint erasure_finished_iff_completed check ((finished_at is not null) = (state = 'completed')),
  constraint erasure_completed_has_no_value check (state <> 'completed' or key_value is null)
);
create index erasure_tenant_id_id_idx on erasure (tenant_id, id);
create index erasure_running_idx on erasure (id) where state = 'running';

-- Ids of publishers go with the day of their events. Block ranges are enough, because ids come in the order of time, and
-- cost a publish next to nothing.
create index event_publish_id_event_id_idx on event_publish_id using brin (event_id);
