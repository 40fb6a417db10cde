-- Replays: what one promised when it was drafted, and its items, of which each is exactly one attempt more.
alter table replay
  add column choice text not null default 'failed',
  -- The filter's times, resolved once: what is made later is not part of it.
  add column since timestamptz(3),
  add column until timestamptz(3) not null default current_timestamp,
  -- What was counted when it was drafted.
  add column preview jsonb not null default '{}',
  add column item_count integer not null default 0,
  -- Until when its rate has been used up.
  add column paced_until timestamptz(3),
  add constraint replay_choice check (choice in ('failed', 'all')),
  add constraint replay_rate_per_second check (rate_per_second between 1 and 10000);
alter table replay alter column until drop default;

-- The set is frozen by writing it down: what is sent is what was counted, whatever happens meanwhile (decision 0033).
create table replay_item (
  replay_id       uuid not null references replay (id) on update cascade on delete cascade,
  delivery_id     uuid not null,
  tenant_id       text not null,
  subscription_id uuid not null,
  outcome         text not null default 'waiting',
  -- Why nothing was sent.
  skip_reason     text,
  -- What came of its attempt.
  attempt_id      uuid,
  failure_code    text,
  http_status     smallint,
  started_at      timestamptz(3),
  finished_at     timestamptz(3),
  primary key (replay_id, delivery_id),
  constraint replay_item_outcome check (outcome in ('waiting', 'under_way', 'delivered', 'failed', 'skipped', 'canceled')),
  constraint replay_item_skipped_has_reason check ((outcome = 'skipped') = (skip_reason is not null)),
  constraint replay_item_skip_reason check (skip_reason in (
    'delivered', 'pending', 'retrying', 'in_flight', 'held', 'canceled',
    'subscription_paused', 'subscription_disabled', 'subscription_deleted', 'removed')),
  constraint replay_item_finished_iff_final
    check ((finished_at is not null) = (outcome in ('delivered', 'failed', 'skipped', 'canceled')))
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
-- The replays of a delivery: what the filter `replay` asks for.
create index replay_item_delivery_id_idx on replay_item (delivery_id);
-- The next ones of a subscription, and those of all replays that are due or in flight: never many.
create index replay_item_waiting_idx on replay_item (replay_id, subscription_id, delivery_id) where outcome = 'waiting';
create index replay_item_under_way_idx on replay_item (subscription_id, replay_id) where outcome = 'under_way';

-- The replay that an attempt is made for. Its item is settled by the statement that takes the row away.
alter table backlog
  add column replay_id uuid,
  add constraint backlog_replay_has_trigger check (replay_id is null or trigger = 'replay');

-- The few that dispatchers look for.
create index replay_running_idx on replay (id) where state = 'running';
