-- A test of a subscription: one request that somebody asked for and waits for. It is no delivery: it is made once, by
-- whichever dispatcher takes it, whatever the state of the subscription, and bears on nobody's health or backlog.
create table subscription_test (
  id uuid primary key,
  tenant_id text not null,
  subscription_id uuid not null references subscription (id) on update cascade on delete cascade,
  event_id uuid not null,
  event_type text not null,
  data text not null,
  schema_version integer,
  actor text not null,
  requested_at timestamptz(3) not null default current_timestamp,
  taken_at timestamptz(3),
  outcome json,
  finished_at timestamptz(3),
  constraint subscription_test_taken_before_finished check (finished_at is null or taken_at is not null),
  constraint subscription_test_finished_with_outcome check ((finished_at is null) = (outcome is null))
);

-- One at a time: a test must not become a way to flood a receiver.
create unique index subscription_test_one_at_a_time on subscription_test (subscription_id) where finished_at is null;
create index subscription_test_waiting_idx on subscription_test (requested_at) where taken_at is null;
create index subscription_test_requested_at_idx on subscription_test (requested_at);
