-- The tables of Posthorn. What Prisma cannot say (partitions, CHECK constraints, partial indexes, storage) is said here.
-- Lists of words are held to packages/contract/src/states.ts by a test.
-- The hot tables (event, delivery, backlog, attempt) have no foreign keys: each would cost a trigger a row, and their
-- rows are written in the one statement that has just read what they point to.

create table tenant (
  id         text primary key,
  name       text,
  metadata   jsonb not null default '{}',
  contacts   jsonb not null default '[]',
  created_at timestamptz(3) not null default current_timestamp,
  updated_at timestamptz(3) not null default current_timestamp,
  constraint tenant_id_form check (id ~ '^[A-Za-z0-9_.:@|-]{1,128}$')
);

create index tenant_created_at_id_idx on tenant (created_at, id);

create table event_type (
  name           text primary key,
  description    text,
  group_name     text,
  state          text not null default 'active',
  validation     text not null default 'off',
  latest_version integer not null default 0,
  created_at     timestamptz(3) not null default current_timestamp,
  updated_at     timestamptz(3) not null default current_timestamp,
  constraint event_type_name_form check (name ~ '^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$' and length(name) <= 128),
  constraint event_type_state check (state in ('active', 'archived')),
  constraint event_type_validation check (validation in ('off', 'warn', 'reject')),
  constraint event_type_latest_version check (latest_version >= 0)
);

create table event_type_version (
  event_type text not null references event_type (name) on delete cascade on update cascade,
  version    integer not null,
  schema     json not null,
  examples   json not null default '[]',
  created_at timestamptz(3) not null default current_timestamp,
  primary key (event_type, version),
  constraint event_type_version_from_one check (version >= 1)
);

create table subscription (
  id                     uuid primary key,
  tenant_id              text not null references tenant (id) on delete cascade on update cascade,
  url                    text not null,
  event_types            text[] not null,
  description            text,
  headers                jsonb not null default '{}',
  metadata               jsonb not null default '{}',
  state                  text not null default 'active',
  disabled_reason        text,
  state_changed_at       timestamptz(3) not null default current_timestamp,
  timeout_ms             integer not null default 15000,
  max_in_flight          integer not null default 10,
  retry_schedule_seconds integer[] not null default '{}',
  not_before             timestamptz(3),
  shard                  smallint not null,
  deleted_at             timestamptz(3),
  created_at             timestamptz(3) not null default current_timestamp,
  updated_at             timestamptz(3) not null default current_timestamp,
  constraint subscription_state check (state in ('active', 'paused', 'disabled')),
  constraint subscription_disabled_has_reason check ((state = 'disabled') = (disabled_reason is not null)),
  constraint subscription_disabled_reason check (disabled_reason in ('gone', 'failing_too_long')),
  constraint subscription_event_types check (cardinality(event_types) between 1 and 50),
  constraint subscription_timeout_ms check (timeout_ms between 1000 and 30000),
  constraint subscription_max_in_flight check (max_in_flight between 1 and 1000),
  constraint subscription_retry_schedule check (cardinality(retry_schedule_seconds) <= 20 and 0 <= all (retry_schedule_seconds)),
  constraint subscription_shard check (shard between 0 and 63)
);
create index subscription_tenant_id_id_idx on subscription (tenant_id, id);

create table secret (
  id              uuid primary key,
  tenant_id       text not null,
  subscription_id uuid not null references subscription (id) on delete cascade on update cascade,
  key             bytea not null,
  created_at      timestamptz(3) not null default current_timestamp,
  expires_at      timestamptz(3),
  constraint secret_key_length check (length(key) between 24 and 64)
);
create index secret_subscription_id_idx on secret (subscription_id);
-- A subscription has one current secret; the others carry the time they stop signing.
create unique index secret_one_current on secret (subscription_id) where expires_at is null;

-- Partitioned by the UUIDv7 id, a day a partition: the time is in the id, so the primary key stays the id.
create table event (
  id                uuid not null,
  tenant_id         text not null,
  type              text not null,
  timestamp         timestamptz(3) not null,
  data              text not null,
  keys              jsonb not null default '{}',
  publish_id        text,
  traceparent       text,
  schema_version    integer,
  validation_errors jsonb,
  primary key (id)
) partition by range (id);
create index event_tenant_id_id_idx on event (tenant_id, id);

-- (tenant_id, publish_id): an event published again under the same id of the publisher is stored once.
create table event_publish_id (
  tenant_id  text not null,
  publish_id text not null,
  event_id   uuid not null,
  primary key (tenant_id, publish_id)
);

create table delivery (
  id                uuid not null,
  tenant_id         text not null,
  event_id          uuid not null,
  event_type        text not null,
  subscription_id   uuid not null,
  state             text not null,
  attempt_count     integer not null default 0,
  last_failure_code text,
  last_http_status  smallint,
  delivered_at      timestamptz(3),
  finished_at       timestamptz(3),
  primary key (id),
  constraint delivery_state check (state in ('pending', 'retrying', 'held', 'delivered', 'failed', 'canceled')),
  constraint delivery_finished_iff_final check ((finished_at is not null) = (state in ('delivered', 'failed', 'canceled'))),
  constraint delivery_delivered_has_time check (state <> 'delivered' or delivered_at is not null)
) partition by range (id);
create index delivery_tenant_id_id_idx on delivery (tenant_id, id);
create index delivery_subscription_id_id_idx on delivery (subscription_id, id);
create index delivery_event_id_idx on delivery (event_id);
-- What support looks for, and what resume and replay walk: few rows beside the delivered ones.
create index delivery_failed_idx on delivery (id) where state = 'failed';
create index delivery_held_idx on delivery (subscription_id, id) where state = 'held';

-- The only backlog: a row exists exactly while its delivery is pending or retrying.
create table backlog (
  delivery_id     uuid primary key,
  tenant_id       text not null,
  event_id        uuid not null,
  subscription_id uuid not null,
  shard           smallint not null,
  ready           boolean not null default true,
  next_attempt_at timestamptz(3) not null,
  attempt_number  integer not null default 0,
  schedule_step   integer not null default 0,
  trigger         text not null default 'automatic',
  actor           text,
  reason          text,
  resume_at       timestamptz(3),
  attempt_id      uuid,
  leased_at       timestamptz(3),
  constraint backlog_trigger check (trigger in ('automatic', 'resend', 'replay', 'test')),
  constraint backlog_lease_is_whole check ((attempt_id is null) = (leased_at is null)),
  constraint backlog_ready_is_not_leased check (not (ready and leased_at is not null)),
  constraint backlog_resume_only_behind_a_resend check (resume_at is null or trigger <> 'automatic')
) with (
  fillfactor = 70,
  autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0,
  autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 50000,
  autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 20000
);
-- Claims hop from subscription to subscription on this one: every row in it is due.
create index backlog_ready_idx on backlog (shard, subscription_id, next_attempt_at) where ready;
-- Retries that fall due and leases that ran out are found on this one.
create index backlog_waiting_idx on backlog (shard, next_attempt_at) where not ready;

create table attempt (
  id                 uuid not null,
  tenant_id          text not null,
  delivery_id        uuid not null,
  event_id           uuid not null,
  subscription_id    uuid not null,
  number             integer not null,
  trigger            text not null,
  actor              text,
  reason             text,
  started_at         timestamptz(3) not null,
  url                text not null,
  request_headers    json not null,
  remote_address     text,
  http_status        smallint,
  failure_code       text,
  failure_detail     text,
  response_headers   json not null,
  response_body      bytea not null,
  response_truncated boolean not null,
  wait_ms            real not null,
  dns_ms             real,
  connect_ms         real,
  tls_ms             real,
  first_byte_ms      real,
  total_ms           real not null,
  primary key (id),
  constraint attempt_number_from_one check (number >= 1),
  constraint attempt_trigger check (trigger in ('automatic', 'resend', 'replay', 'test')),
  constraint attempt_failure_code check (failure_code in (
    'dns_not_found', 'connect_refused', 'connect_timeout', 'connection_reset', 'tls_expired', 'tls_untrusted', 'tls_error',
    'response_timeout', 'response_malformed', 'http_3xx', 'http_4xx', 'http_410', 'http_429', 'http_5xx',
    'blocked_address', 'aborted', 'internal_error')),
  constraint attempt_failed_iff_no_2xx check ((failure_code is null) = (http_status is not null and http_status between 200 and 299))
) partition by range (id);
create index attempt_delivery_id_number_idx on attempt (delivery_id, number);

create table replay (
  id              uuid primary key,
  tenant_id       text,
  filter          jsonb not null,
  state           text not null default 'draft',
  rate_per_second integer,
  note            text,
  actor           text not null,
  created_at      timestamptz(3) not null default current_timestamp,
  started_at      timestamptz(3),
  finished_at     timestamptz(3),
  constraint replay_state check (state in ('draft', 'running', 'paused', 'completed', 'canceled')),
  constraint replay_finished_iff_final check ((finished_at is not null) = (state in ('completed', 'canceled')))
);
create index replay_tenant_id_id_idx on replay (tenant_id, id);

create table api_key (
  id         uuid primary key,
  name       text not null,
  role       text not null,
  tenant_id  text references tenant (id) on delete cascade on update cascade,
  hash       bytea not null,
  hint       text not null,
  created_at timestamptz(3) not null default current_timestamp,
  expires_at timestamptz(3),
  revoked_at timestamptz(3),
  constraint api_key_role check (role in ('admin', 'publisher', 'support', 'viewer', 'tenant')),
  constraint api_key_tenant_iff_role_tenant check ((role = 'tenant') = (tenant_id is not null)),
  constraint api_key_hash_is_sha256 check (length(hash) = 32)
);
create unique index api_key_hash_key on api_key (hash);

create table dispatcher (
  id           uuid primary key,
  started_at   timestamptz(3) not null,
  heartbeat_at timestamptz(3) not null
);
