-- The tables as all migrations have made them, for readers and reviewers. Written by `pnpm db:dump`; do not edit.
-- The day partitions of event, delivery and attempt and the tables of pg-boss are left out.

CREATE OR REPLACE FUNCTION public.outbox_event_written()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
declare
  waiting boolean;
begin
  execute format('select exists (select from %I.outbox_event where refused_at is null)', tg_table_schema) into waiting;
  if not waiting then
    perform pg_notify('posthorn_outbox', '');
  end if;
  return null;
end
$function$;

CREATE OR REPLACE FUNCTION public.refuse_audit_change()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  if tg_op = 'DELETE' then
    if to_timestamp(('x' || translate(left(old.id::text, 13), '-', ''))::bit(48)::bigint / 1000.0) < now() - interval '30 days' then
      return old;
    end if;
  end if;
  raise exception 'the audit log is append-only' using errcode = 'restrict_violation';
end
$function$;

CREATE TABLE api_key (
  id          uuid NOT NULL,
  name        text NOT NULL,
  role        text NOT NULL,
  tenant_id   text,
  hash        bytea NOT NULL,
  hint        text NOT NULL,
  created_at  timestamp(3) with time zone NOT NULL DEFAULT CURRENT_TIMESTAMP,
  expires_at  timestamp(3) with time zone,
  revoked_at  timestamp(3) with time zone,
  permissions text[] NOT NULL DEFAULT '{}'::text[],
  CONSTRAINT api_key_pkey PRIMARY KEY (id),
  CONSTRAINT api_key_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenant(id) ON UPDATE CASCADE ON DELETE CASCADE,
  CONSTRAINT api_key_hash_is_sha256 CHECK (length(hash) = 32),
  CONSTRAINT api_key_permissions CHECK (permissions <@ ARRAY['payloads:read'::text]),
  CONSTRAINT api_key_role CHECK (role = ANY (ARRAY['admin'::text, 'publisher'::text, 'support'::text, 'viewer'::text, 'tenant'::text])),
  CONSTRAINT api_key_tenant_iff_role_tenant CHECK ((role = 'tenant'::text) = (tenant_id IS NOT NULL))
);
CREATE UNIQUE INDEX api_key_hash_key ON api_key USING btree (hash);

CREATE TABLE attempt (
  id                 uuid NOT NULL,
  tenant_id          text NOT NULL,
  delivery_id        uuid NOT NULL,
  event_id           uuid NOT NULL,
  subscription_id    uuid NOT NULL,
  number             integer NOT NULL,
  trigger            text NOT NULL,
  actor              text,
  reason             text,
  started_at         timestamp(3) with time zone NOT NULL,
  url                text NOT NULL,
  request_headers    json NOT NULL,
  remote_address     text,
  http_status        smallint,
  failure_code       text,
  failure_detail     text,
  response_headers   json NOT NULL,
  response_body      bytea NOT NULL,
  response_truncated boolean NOT NULL,
  wait_ms            real NOT NULL,
  dns_ms             real,
  connect_ms         real,
  tls_ms             real,
  first_byte_ms      real,
  total_ms           real NOT NULL,
  overtaken          boolean NOT NULL DEFAULT false,
  erased_at          timestamp(3) with time zone,
  CONSTRAINT attempt_pkey PRIMARY KEY (id),
  CONSTRAINT attempt_failed_iff_no_2xx CHECK ((failure_code IS NULL) = (http_status IS NOT NULL AND http_status >= 200 AND http_status <= 299)),
  CONSTRAINT attempt_failure_code CHECK (failure_code = ANY (ARRAY['dns_not_found'::text, 'connect_refused'::text, 'connect_timeout'::text, 'connection_reset'::text, 'tls_expired'::text, 'tls_untrusted'::text, 'tls_error'::text, 'response_timeout'::text, 'response_malformed'::text, 'http_3xx'::text, 'http_4xx'::text, 'http_410'::text, 'http_429'::text, 'http_5xx'::text, 'blocked_address'::text, 'transform_failed'::text, 'auth_failed'::text, 'egress_proxy_failed'::text, 'aborted'::text, 'internal_error'::text])),
  CONSTRAINT attempt_number_from_one CHECK (number >= 1),
  CONSTRAINT attempt_trigger CHECK (trigger = ANY (ARRAY['automatic'::text, 'resend'::text, 'replay'::text, 'test'::text]))
) PARTITION BY RANGE (id);
CREATE INDEX attempt_delivery_id_number_idx ON attempt USING btree (delivery_id, number);
CREATE INDEX attempt_failed_idx ON attempt USING btree (subscription_id, id) WHERE failure_code IS NOT NULL;

CREATE TABLE attempt_hour (
  starts_at       timestamp(3) with time zone NOT NULL,
  tenant_id       text NOT NULL,
  subscription_id uuid NOT NULL,
  event_type      text NOT NULL,
  trigger         text NOT NULL,
  failure_code    text NOT NULL,
  host            text NOT NULL,
  attempts        integer NOT NULL,
  ended           integer NOT NULL,
  entered         integer NOT NULL,
  first_at        timestamp(3) with time zone,
  last_at         timestamp(3) with time zone,
  delivery_id     uuid,
  waits           integer[] NOT NULL,
  times           integer[] NOT NULL,
  CONSTRAINT attempt_hour_pkey PRIMARY KEY (starts_at, tenant_id, subscription_id, event_type, trigger, failure_code, host)
) WITH (
  fillfactor = 60
);
CREATE INDEX attempt_hour_tenant_id_starts_at_idx ON attempt_hour USING btree (tenant_id, starts_at);

CREATE TABLE attempt_minute (
  starts_at       timestamp(3) with time zone NOT NULL,
  tenant_id       text NOT NULL,
  subscription_id uuid NOT NULL,
  event_type      text NOT NULL,
  trigger         text NOT NULL,
  failure_code    text NOT NULL,
  host            text NOT NULL,
  attempts        integer NOT NULL,
  ended           integer NOT NULL,
  entered         integer NOT NULL,
  first_at        timestamp(3) with time zone,
  last_at         timestamp(3) with time zone,
  delivery_id     uuid,
  waits           integer[] NOT NULL,
  times           integer[] NOT NULL,
  CONSTRAINT attempt_minute_pkey PRIMARY KEY (starts_at, tenant_id, subscription_id, event_type, trigger, failure_code, host)
) WITH (
  autovacuum_vacuum_cost_delay = 0,
  autovacuum_vacuum_scale_factor = 0.05,
  fillfactor = 60
);
CREATE INDEX attempt_minute_tenant_id_starts_at_idx ON attempt_minute USING btree (tenant_id, starts_at);

CREATE TABLE attempt_minute_kept (
  starts_at       timestamp(3) with time zone NOT NULL,
  tenant_id       text NOT NULL,
  subscription_id uuid NOT NULL,
  event_type      text NOT NULL,
  trigger         text NOT NULL,
  failure_code    text NOT NULL,
  host            text NOT NULL,
  attempts        integer NOT NULL,
  ended           integer NOT NULL,
  entered         integer NOT NULL,
  first_at        timestamp(3) with time zone,
  last_at         timestamp(3) with time zone,
  delivery_id     uuid,
  waits           integer[] NOT NULL,
  times           integer[] NOT NULL,
  CONSTRAINT attempt_minute_kept_pkey PRIMARY KEY (starts_at, tenant_id, subscription_id, event_type, trigger, failure_code, host)
) WITH (
  autovacuum_vacuum_cost_delay = 0,
  autovacuum_vacuum_scale_factor = 0.05
);
CREATE INDEX attempt_minute_kept_tenant_id_starts_at_idx ON attempt_minute_kept USING btree (tenant_id, starts_at);

CREATE TABLE audit_entry (
  id           uuid NOT NULL,
  tenant_id    text,
  actor        text NOT NULL,
  on_behalf_of text,
  action       text NOT NULL,
  target       text NOT NULL,
  reason       text,
  request_id   text,
  CONSTRAINT audit_entry_pkey PRIMARY KEY (id),
  CONSTRAINT audit_entry_action CHECK (action = ANY (ARRAY['tenant_put'::text, 'tenant_deleted'::text, 'event_type_put'::text, 'event_type_archived'::text, 'event_type_version_created'::text, 'event_types_imported'::text, 'subscription_created'::text, 'subscription_changed'::text, 'subscription_deleted'::text, 'subscription_paused'::text, 'subscription_resumed'::text, 'subscription_tested'::text, 'secrets_revealed'::text, 'secret_rotated'::text, 'key_pair_rotated'::text, 'delivery_resent'::text, 'delivery_canceled'::text, 'replay_created'::text, 'replay_started'::text, 'replay_paused'::text, 'replay_resumed'::text, 'replay_changed'::text, 'replay_canceled'::text, 'erasure_requested'::text, 'outbox_event_retried'::text, 'outbox_event_given_up'::text, 'api_key_created'::text, 'api_key_revoked'::text, 'portal_session_created'::text, 'portal_session_revoked'::text]))
);
CREATE INDEX audit_entry_actor_id_idx ON audit_entry USING btree (actor, id);
CREATE INDEX audit_entry_target_id_idx ON audit_entry USING btree (target, id);
CREATE INDEX audit_entry_tenant_id_id_idx ON audit_entry USING btree (tenant_id, id);
CREATE TRIGGER audit_entry_is_append_only BEFORE DELETE OR UPDATE ON audit_entry FOR EACH ROW EXECUTE FUNCTION refuse_audit_change();
CREATE TRIGGER audit_entry_is_not_truncated BEFORE TRUNCATE ON audit_entry FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();

CREATE TABLE backlog (
  delivery_id     uuid NOT NULL,
  tenant_id       text NOT NULL,
  event_id        uuid NOT NULL,
  subscription_id uuid NOT NULL,
  shard           smallint NOT NULL,
  ready           boolean NOT NULL DEFAULT true,
  next_attempt_at timestamp(3) with time zone NOT NULL,
  attempt_number  integer NOT NULL DEFAULT 0,
  schedule_step   integer NOT NULL DEFAULT 0,
  trigger         text NOT NULL DEFAULT 'automatic'::text,
  actor           text,
  reason          text,
  resume_at       timestamp(3) with time zone,
  attempt_id      uuid,
  leased_at       timestamp(3) with time zone,
  replay_id       uuid,
  CONSTRAINT backlog_pkey PRIMARY KEY (delivery_id),
  CONSTRAINT backlog_lease_is_whole CHECK ((attempt_id IS NULL) = (leased_at IS NULL)),
  CONSTRAINT backlog_ready_is_not_leased CHECK (NOT (ready AND leased_at IS NOT NULL)),
  CONSTRAINT backlog_replay_has_trigger CHECK (replay_id IS NULL OR trigger = 'replay'::text),
  CONSTRAINT backlog_resume_only_behind_a_resend CHECK (resume_at IS NULL OR trigger <> 'automatic'::text),
  CONSTRAINT backlog_trigger CHECK (trigger = ANY (ARRAY['automatic'::text, 'resend'::text, 'replay'::text, 'test'::text]))
) WITH (
  autovacuum_analyze_scale_factor = 0,
  autovacuum_analyze_threshold = 20000,
  autovacuum_vacuum_cost_delay = 0,
  autovacuum_vacuum_insert_scale_factor = 0,
  autovacuum_vacuum_insert_threshold = 50000,
  autovacuum_vacuum_scale_factor = 0,
  autovacuum_vacuum_threshold = 5000,
  fillfactor = 70
);
CREATE INDEX backlog_asked_idx ON backlog USING btree (subscription_id, next_attempt_at) WHERE ready AND trigger <> 'automatic'::text;
CREATE INDEX backlog_ready_idx ON backlog USING btree (shard, tenant_id, subscription_id, next_attempt_at) WHERE ready;
CREATE INDEX backlog_subscription_id_delivery_id_idx ON backlog USING btree (subscription_id, delivery_id);
CREATE INDEX backlog_waiting_idx ON backlog USING btree (shard, next_attempt_at) WHERE NOT ready;

CREATE TABLE delivery (
  id                uuid NOT NULL,
  tenant_id         text NOT NULL,
  event_id          uuid NOT NULL,
  event_type        text NOT NULL,
  subscription_id   uuid NOT NULL,
  state             text NOT NULL,
  attempt_count     integer NOT NULL DEFAULT 0,
  last_failure_code text,
  last_http_status  smallint,
  delivered_at      timestamp(3) with time zone,
  finished_at       timestamp(3) with time zone,
  held              boolean NOT NULL GENERATED ALWAYS AS (state = 'held'::text) STORED,
  failed            boolean NOT NULL GENERATED ALWAYS AS (state = 'failed'::text) STORED,
  canceled_reason   text,
  erased_at         timestamp(3) with time zone,
  CONSTRAINT delivery_pkey PRIMARY KEY (id),
  CONSTRAINT delivery_canceled_reason CHECK (canceled_reason = ANY (ARRAY['canceled_by_person'::text, 'resume_none'::text, 'subscription_deleted'::text, 'tenant_deleted'::text, 'erased'::text])),
  CONSTRAINT delivery_delivered_has_time CHECK (state <> 'delivered'::text OR delivered_at IS NOT NULL),
  CONSTRAINT delivery_erased_is_final CHECK (erased_at IS NULL OR (state = ANY (ARRAY['delivered'::text, 'failed'::text, 'canceled'::text]))),
  CONSTRAINT delivery_finished_iff_final CHECK ((finished_at IS NOT NULL) = (state = ANY (ARRAY['delivered'::text, 'failed'::text, 'canceled'::text]))),
  CONSTRAINT delivery_only_canceled_has_reason CHECK (canceled_reason IS NULL OR state = 'canceled'::text),
  CONSTRAINT delivery_state CHECK (state = ANY (ARRAY['pending'::text, 'retrying'::text, 'held'::text, 'delivered'::text, 'failed'::text, 'canceled'::text]))
) PARTITION BY RANGE (id);
CREATE INDEX delivery_erased_at_idx ON delivery USING btree (erased_at) WHERE erased_at IS NOT NULL;
CREATE INDEX delivery_event_id_idx ON delivery USING btree (event_id);
CREATE INDEX delivery_failed_idx ON delivery USING btree (id) WHERE failed;
CREATE INDEX delivery_held_idx ON delivery USING btree (subscription_id, id) WHERE held;
CREATE INDEX delivery_subscription_id_id_idx ON delivery USING btree (subscription_id, id);
CREATE INDEX delivery_tenant_id_id_idx ON delivery USING btree (tenant_id, id);

CREATE TABLE dispatcher (
  id           uuid NOT NULL,
  started_at   timestamp(3) with time zone NOT NULL,
  heartbeat_at timestamp(3) with time zone NOT NULL,
  shard_jobs   uuid[],
  CONSTRAINT dispatcher_pkey PRIMARY KEY (id)
);

CREATE TABLE erasure (
  id              uuid NOT NULL,
  tenant_id       text NOT NULL,
  key_name        text,
  key_value       text,
  state           text NOT NULL DEFAULT 'running'::text,
  actor           text NOT NULL,
  reason          text NOT NULL,
  before_event_id uuid NOT NULL,
  pass_from       uuid,
  left_behind     boolean NOT NULL DEFAULT false,
  event_count     integer NOT NULL DEFAULT 0,
  delivery_count  integer NOT NULL DEFAULT 0,
  attempt_count   integer NOT NULL DEFAULT 0,
  canceled_count  integer NOT NULL DEFAULT 0,
  created_at      timestamp(3) with time zone NOT NULL DEFAULT CURRENT_TIMESTAMP,
  finished_at     timestamp(3) with time zone,
  CONSTRAINT erasure_pkey PRIMARY KEY (id),
  CONSTRAINT erasure_completed_has_no_value CHECK (state <> 'completed'::text OR key_value IS NULL),
  CONSTRAINT erasure_finished_iff_completed CHECK ((finished_at IS NOT NULL) = (state = 'completed'::text)),
  CONSTRAINT erasure_state CHECK (state = ANY (ARRAY['running'::text, 'completed'::text]))
);
CREATE INDEX erasure_running_idx ON erasure USING btree (id) WHERE state = 'running'::text;
CREATE INDEX erasure_tenant_id_id_idx ON erasure USING btree (tenant_id, id);

CREATE TABLE event (
  id                uuid NOT NULL,
  tenant_id         text NOT NULL,
  type              text NOT NULL,
  "timestamp"       timestamp(3) with time zone NOT NULL,
  data              text NOT NULL,
  keys              jsonb NOT NULL DEFAULT '{}'::jsonb,
  publish_id        text,
  traceparent       text,
  schema_version    integer,
  validation_errors jsonb,
  erased_at         timestamp(3) with time zone,
  headers           jsonb,
  CONSTRAINT event_pkey PRIMARY KEY (id)
) PARTITION BY RANGE (id);
CREATE INDEX event_sampled_idx ON event USING btree (type, id) WHERE erased_at IS NULL AND get_byte(uuid_send(id), 15) < 16;
CREATE INDEX event_tenant_id_id_idx ON event USING btree (tenant_id, id);
CREATE INDEX event_trace_idx ON event USING btree (substr(traceparent, 4, 32), tenant_id, id) WHERE traceparent IS NOT NULL;

CREATE TABLE event_key (
  value     text NOT NULL,
  tenant_id text NOT NULL,
  name      text NOT NULL,
  event_id  uuid NOT NULL,
  CONSTRAINT event_key_pkey PRIMARY KEY (value, tenant_id, name, event_id)
) PARTITION BY RANGE (event_id);

CREATE TABLE event_publish_id (
  tenant_id  text NOT NULL,
  publish_id text NOT NULL,
  event_id   uuid NOT NULL,
  CONSTRAINT event_publish_id_pkey PRIMARY KEY (tenant_id, publish_id)
);
CREATE INDEX event_publish_id_event_id_idx ON event_publish_id USING brin (event_id);

CREATE TABLE event_type (
  name           text NOT NULL,
  description    text,
  group_name     text,
  state          text NOT NULL DEFAULT 'active'::text,
  validation     text NOT NULL DEFAULT 'off'::text,
  latest_version integer NOT NULL DEFAULT 0,
  created_at     timestamp(3) with time zone NOT NULL DEFAULT CURRENT_TIMESTAMP,
  updated_at     timestamp(3) with time zone NOT NULL DEFAULT CURRENT_TIMESTAMP,
  key_pointers   jsonb NOT NULL DEFAULT '{}'::jsonb,
  case_variant   boolean NOT NULL DEFAULT false,
  CONSTRAINT event_type_pkey PRIMARY KEY (name),
  CONSTRAINT event_type_latest_version CHECK (latest_version >= 0),
  CONSTRAINT event_type_name_form CHECK (name ~ '^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$'::text AND length(name) <= 128),
  CONSTRAINT event_type_state CHECK (state = ANY (ARRAY['active'::text, 'archived'::text])),
  CONSTRAINT event_type_validation CHECK (validation = ANY (ARRAY['off'::text, 'warn'::text, 'reject'::text]))
);
CREATE UNIQUE INDEX event_type_name_in_any_case ON event_type USING btree (lower(name COLLATE "C")) WHERE NOT case_variant;

CREATE TABLE event_type_version (
  event_type text NOT NULL,
  version    integer NOT NULL,
  schema     json NOT NULL,
  examples   json NOT NULL DEFAULT '[]'::json,
  created_at timestamp(3) with time zone NOT NULL DEFAULT CURRENT_TIMESTAMP,
  comparison json,
  CONSTRAINT event_type_version_pkey PRIMARY KEY (event_type, version),
  CONSTRAINT event_type_version_event_type_fkey FOREIGN KEY (event_type) REFERENCES event_type(name) ON UPDATE CASCADE ON DELETE CASCADE,
  CONSTRAINT event_type_version_from_one CHECK (version >= 1)
);

CREATE TABLE idempotency_key (
  owner         text NOT NULL,
  key           text NOT NULL,
  id            uuid NOT NULL,
  fingerprint   bytea NOT NULL,
  begun_at      timestamp(3) with time zone NOT NULL DEFAULT CURRENT_TIMESTAMP,
  held_until    timestamp(3) with time zone NOT NULL,
  sealed_answer bytea,
  tenant_id     text,
  operation     text,
  event_ids     uuid[],
  CONSTRAINT idempotency_key_pkey PRIMARY KEY (key, owner),
  CONSTRAINT idempotency_key_fingerprint_is_sha256 CHECK (length(fingerprint) = 32)
);
CREATE INDEX idempotency_key_begun_at_idx ON idempotency_key USING btree (begun_at);

CREATE TABLE outbox_event (
  id            uuid NOT NULL DEFAULT gen_random_uuid(),
  place         bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
  tenant_id     text NOT NULL,
  type          text NOT NULL,
  data          json NOT NULL,
  publish_id    text,
  "timestamp"   timestamp(3) with time zone NOT NULL DEFAULT clock_timestamp(),
  keys          jsonb NOT NULL DEFAULT '{}'::jsonb,
  subscriptions text[],
  traceparent   text,
  written_at    timestamp(3) with time zone NOT NULL DEFAULT clock_timestamp(),
  tries         smallint NOT NULL DEFAULT 0,
  not_before    timestamp(3) with time zone,
  refused_at    timestamp(3) with time zone,
  problem       jsonb,
  headers       jsonb,
  CONSTRAINT outbox_event_pkey PRIMARY KEY (id),
  CONSTRAINT outbox_event_data CHECK (octet_length(data::text) <= 262144),
  CONSTRAINT outbox_event_headers CHECK (headers @> '{}'::jsonb),
  CONSTRAINT outbox_event_keys CHECK (keys @> '{}'::jsonb),
  CONSTRAINT outbox_event_publish_id CHECK (length(publish_id) >= 1 AND length(publish_id) <= 256),
  CONSTRAINT outbox_event_refused_for_a_reason CHECK ((refused_at IS NULL) = (problem IS NULL)),
  CONSTRAINT outbox_event_tenant_id CHECK (tenant_id ~ '^[A-Za-z0-9_.:@|-]{1,128}$'::text),
  CONSTRAINT outbox_event_type CHECK (length(type) <= 128 AND type ~ '^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$'::text)
);
CREATE INDEX outbox_event_refused_idx ON outbox_event USING btree (place) WHERE refused_at IS NOT NULL;
CREATE INDEX outbox_event_waiting_idx ON outbox_event USING btree (place) WHERE refused_at IS NULL;
CREATE TRIGGER outbox_event_written BEFORE INSERT ON outbox_event FOR EACH STATEMENT EXECUTE FUNCTION outbox_event_written();

CREATE TABLE portal_session (
  id           uuid NOT NULL,
  tenant_id    text NOT NULL,
  hash         bytea NOT NULL,
  capabilities text[] NOT NULL,
  theme        jsonb NOT NULL DEFAULT '{}'::jsonb,
  on_behalf_of text,
  created_by   uuid NOT NULL,
  created_at   timestamp(3) with time zone NOT NULL DEFAULT CURRENT_TIMESTAMP,
  expires_at   timestamp(3) with time zone NOT NULL,
  revoked_at   timestamp(3) with time zone,
  CONSTRAINT portal_session_pkey PRIMARY KEY (id),
  CONSTRAINT portal_session_created_by_fkey FOREIGN KEY (created_by) REFERENCES api_key(id) ON UPDATE CASCADE ON DELETE CASCADE,
  CONSTRAINT portal_session_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenant(id) ON UPDATE CASCADE ON DELETE CASCADE,
  CONSTRAINT portal_session_capabilities CHECK (cardinality(capabilities) > 0 AND capabilities <@ ARRAY['event-types:read'::text, 'subscriptions:read'::text, 'subscriptions:write'::text, 'subscriptions:pause'::text, 'secrets:reveal'::text, 'secrets:rotate'::text, 'events:read'::text, 'payloads:read'::text, 'deliveries:read'::text, 'deliveries:resend'::text, 'deliveries:cancel'::text]),
  CONSTRAINT portal_session_hash_is_sha256 CHECK (length(hash) = 32)
);
CREATE INDEX portal_session_expires_at_idx ON portal_session USING btree (expires_at);
CREATE UNIQUE INDEX portal_session_hash_key ON portal_session USING btree (hash);
CREATE INDEX portal_session_tenant_id_id_idx ON portal_session USING btree (tenant_id, id);

CREATE TABLE replay (
  id                uuid NOT NULL,
  tenant_id         text,
  filter            jsonb NOT NULL,
  state             text NOT NULL DEFAULT 'draft'::text,
  rate_per_second   integer,
  note              text,
  actor             text NOT NULL,
  created_at        timestamp(3) with time zone NOT NULL DEFAULT CURRENT_TIMESTAMP,
  started_at        timestamp(3) with time zone,
  finished_at       timestamp(3) with time zone,
  choice            text NOT NULL DEFAULT 'failed'::text,
  since             timestamp(3) with time zone,
  until             timestamp(3) with time zone NOT NULL,
  preview           jsonb NOT NULL DEFAULT '{}'::jsonb,
  item_count        integer NOT NULL DEFAULT 0,
  paced_until       timestamp(3) with time zone,
  target_url        text,
  target_key_sealed bytea,
  expires_at        timestamp(3) with time zone NOT NULL DEFAULT (CURRENT_TIMESTAMP + '24:00:00'::interval),
  has_items         boolean NOT NULL DEFAULT true,
  CONSTRAINT replay_pkey PRIMARY KEY (id),
  CONSTRAINT replay_choice CHECK (choice = ANY (ARRAY['failed'::text, 'all'::text])),
  CONSTRAINT replay_finished_iff_final CHECK ((finished_at IS NOT NULL) = (state = ANY (ARRAY['completed'::text, 'canceled'::text, 'expired'::text]))),
  CONSTRAINT replay_rate_per_second CHECK (rate_per_second >= 1 AND rate_per_second <= 10000),
  CONSTRAINT replay_state CHECK (state = ANY (ARRAY['draft'::text, 'running'::text, 'paused'::text, 'completed'::text, 'canceled'::text, 'expired'::text])),
  CONSTRAINT replay_target_has_key CHECK ((target_url IS NULL) = (target_key_sealed IS NULL))
);
CREATE INDEX replay_draft_expires_at_idx ON replay USING btree (expires_at) WHERE state = 'draft'::text;
CREATE INDEX replay_expired_with_items_idx ON replay USING btree (id) WHERE state = 'expired'::text AND has_items;
CREATE INDEX replay_running_idx ON replay USING btree (id) WHERE state = 'running'::text;
CREATE INDEX replay_tenant_id_id_idx ON replay USING btree (tenant_id, id);

CREATE TABLE replay_item (
  replay_id       uuid NOT NULL,
  delivery_id     uuid NOT NULL,
  tenant_id       text NOT NULL,
  subscription_id uuid NOT NULL,
  outcome         text NOT NULL DEFAULT 'waiting'::text,
  skip_reason     text,
  attempt_id      uuid,
  failure_code    text,
  http_status     smallint,
  started_at      timestamp(3) with time zone,
  finished_at     timestamp(3) with time zone,
  CONSTRAINT replay_item_pkey PRIMARY KEY (replay_id, delivery_id),
  CONSTRAINT replay_item_replay_id_fkey FOREIGN KEY (replay_id) REFERENCES replay(id) ON UPDATE CASCADE ON DELETE CASCADE,
  CONSTRAINT replay_item_finished_iff_final CHECK ((finished_at IS NOT NULL) = (outcome = ANY (ARRAY['delivered'::text, 'failed'::text, 'skipped'::text, 'canceled'::text]))),
  CONSTRAINT replay_item_outcome CHECK (outcome = ANY (ARRAY['waiting'::text, 'under_way'::text, 'delivered'::text, 'failed'::text, 'skipped'::text, 'canceled'::text])),
  CONSTRAINT replay_item_skip_reason CHECK (skip_reason = ANY (ARRAY['delivered'::text, 'pending'::text, 'retrying'::text, 'in_flight'::text, 'held'::text, 'canceled'::text, 'subscription_paused'::text, 'subscription_disabled'::text, 'subscription_deleted'::text, 'erased'::text, 'removed'::text])),
  CONSTRAINT replay_item_skipped_has_reason CHECK ((outcome = 'skipped'::text) = (skip_reason IS NOT NULL))
) WITH (
  autovacuum_vacuum_cost_delay = 0,
  autovacuum_vacuum_scale_factor = 0.02,
  fillfactor = 70
);
CREATE INDEX replay_item_delivery_id_idx ON replay_item USING btree (delivery_id);
CREATE INDEX replay_item_under_way_idx ON replay_item USING btree (subscription_id, replay_id) WHERE outcome = 'under_way'::text;
CREATE INDEX replay_item_waiting_idx ON replay_item USING btree (replay_id, subscription_id, delivery_id) WHERE outcome = 'waiting'::text;

CREATE TABLE secret (
  id              uuid NOT NULL,
  tenant_id       text NOT NULL,
  subscription_id uuid NOT NULL,
  sealed_key      bytea NOT NULL,
  created_at      timestamp(3) with time zone NOT NULL DEFAULT CURRENT_TIMESTAMP,
  expires_at      timestamp(3) with time zone,
  master_key_id   text,
  scheme          text NOT NULL DEFAULT 'v1'::text,
  public_key      text,
  ended           boolean NOT NULL DEFAULT false,
  CONSTRAINT secret_pkey PRIMARY KEY (id),
  CONSTRAINT secret_subscription_id_fkey FOREIGN KEY (subscription_id) REFERENCES subscription(id) ON UPDATE CASCADE ON DELETE CASCADE,
  CONSTRAINT secret_ended_has_time CHECK (NOT ended OR expires_at IS NOT NULL),
  CONSTRAINT secret_public_key_iff_v1a CHECK ((scheme = 'v1a'::text) = (public_key IS NOT NULL)),
  CONSTRAINT secret_scheme CHECK (scheme = ANY (ARRAY['v1a'::text, 'v1'::text])),
  CONSTRAINT secret_sealed_key_length CHECK ((length(sealed_key) -
CASE
    WHEN master_key_id IS NULL THEN 0
    ELSE 37
END) >= 24 AND (length(sealed_key) -
CASE
    WHEN master_key_id IS NULL THEN 0
    ELSE 37
END) <= 64)
);
CREATE UNIQUE INDEX secret_one_current ON secret USING btree (subscription_id, scheme) WHERE expires_at IS NULL;
CREATE INDEX secret_subscription_id_idx ON secret USING btree (subscription_id);

CREATE TABLE subscription (
  id                     uuid NOT NULL,
  tenant_id              text NOT NULL,
  url                    text NOT NULL,
  event_types            text[] NOT NULL,
  description            text,
  headers                jsonb NOT NULL DEFAULT '{}'::jsonb,
  metadata               jsonb NOT NULL DEFAULT '{}'::jsonb,
  state                  text NOT NULL DEFAULT 'active'::text,
  disabled_reason        text,
  state_changed_at       timestamp(3) with time zone NOT NULL DEFAULT CURRENT_TIMESTAMP,
  timeout_ms             integer NOT NULL DEFAULT 15000,
  max_in_flight          integer NOT NULL DEFAULT 10,
  retry_schedule_seconds integer[] NOT NULL DEFAULT '{}'::integer[],
  not_before             timestamp(3) with time zone,
  shard                  smallint NOT NULL,
  deleted_at             timestamp(3) with time zone,
  created_at             timestamp(3) with time zone NOT NULL DEFAULT CURRENT_TIMESTAMP,
  updated_at             timestamp(3) with time zone NOT NULL DEFAULT CURRENT_TIMESTAMP,
  public_key             text,
  payload_format         text NOT NULL DEFAULT 'standard'::text,
  final_statuses         integer[] NOT NULL DEFAULT '{}'::integer[],
  auth_sealed            bytea,
  auth_type              text,
  auth_shown             jsonb,
  filter                 text,
  rate_limit_per_second  integer,
  ordered                boolean NOT NULL DEFAULT false,
  releasing              boolean NOT NULL DEFAULT false,
  failing_since          timestamp(3) with time zone,
  failing_percent        smallint NOT NULL DEFAULT 0,
  recovery_due           boolean NOT NULL DEFAULT false,
  breaker_opened_at      timestamp(3) with time zone,
  breaker_probe_at       timestamp(3) with time zone,
  breaker_failed_probes  integer NOT NULL DEFAULT 0,
  tls_sealed             bytea,
  tls_shown              jsonb,
  transform              text,
  contacts               jsonb NOT NULL DEFAULT '[]'::jsonb,
  forward_traceparent    boolean NOT NULL DEFAULT false,
  CONSTRAINT subscription_pkey PRIMARY KEY (id),
  CONSTRAINT subscription_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenant(id) ON UPDATE CASCADE ON DELETE CASCADE,
  CONSTRAINT subscription_auth_type CHECK (auth_type = ANY (ARRAY['basic'::text, 'bearer'::text, 'api_key'::text, 'oauth2_client_credentials'::text])),
  CONSTRAINT subscription_auth_whole CHECK ((auth_sealed IS NULL) = (auth_type IS NULL) AND (auth_sealed IS NULL) = (auth_shown IS NULL)),
  CONSTRAINT subscription_breaker_failed_probes CHECK (breaker_failed_probes >= 0),
  CONSTRAINT subscription_breaker_open_has_probe CHECK ((breaker_opened_at IS NULL) = (breaker_probe_at IS NULL)),
  CONSTRAINT subscription_disabled_has_reason CHECK ((state = 'disabled'::text) = (disabled_reason IS NOT NULL)),
  CONSTRAINT subscription_disabled_reason CHECK (disabled_reason = ANY (ARRAY['gone'::text, 'failing_too_long'::text])),
  CONSTRAINT subscription_event_types CHECK (cardinality(event_types) >= 1 AND cardinality(event_types) <= 50),
  CONSTRAINT subscription_failing_percent CHECK (failing_percent >= 0 AND failing_percent <= 99),
  CONSTRAINT subscription_filter CHECK (octet_length(filter) >= 2 AND octet_length(filter) <= 8192),
  CONSTRAINT subscription_final_statuses CHECK (cardinality(final_statuses) <= 20 AND (300 <= ALL (final_statuses)) AND (599 >= ALL (final_statuses)) AND NOT final_statuses && '{410,429,502,503,504}'::integer[]),
  CONSTRAINT subscription_max_in_flight CHECK (max_in_flight >= 1 AND max_in_flight <= 1000),
  CONSTRAINT subscription_payload_format CHECK (payload_format = ANY (ARRAY['standard'::text, 'cloudevents-structured'::text, 'cloudevents-binary'::text, 'raw'::text])),
  CONSTRAINT subscription_rate_limit CHECK (rate_limit_per_second >= 1 AND rate_limit_per_second <= 10000),
  CONSTRAINT subscription_retry_schedule CHECK (cardinality(retry_schedule_seconds) <= 20 AND (0 <= ALL (retry_schedule_seconds))),
  CONSTRAINT subscription_shard CHECK (shard >= 0 AND shard <= 63),
  CONSTRAINT subscription_state CHECK (state = ANY (ARRAY['active'::text, 'paused'::text, 'disabled'::text])),
  CONSTRAINT subscription_timeout_ms CHECK (timeout_ms >= 1000 AND timeout_ms <= 30000),
  CONSTRAINT subscription_tls_whole CHECK ((tls_sealed IS NULL) = (tls_shown IS NULL)),
  CONSTRAINT subscription_transform CHECK (octet_length(transform) >= 1 AND octet_length(transform) <= 16384)
);
CREATE INDEX subscription_failing_idx ON subscription USING btree (failing_since) WHERE failing_since IS NOT NULL;
CREATE INDEX subscription_tenant_id_id_idx ON subscription USING btree (tenant_id, id);

CREATE TABLE subscription_test (
  id                uuid NOT NULL,
  tenant_id         text NOT NULL,
  subscription_id   uuid NOT NULL,
  event_id          uuid NOT NULL,
  event_type        text NOT NULL,
  data              text NOT NULL,
  schema_version    integer,
  actor             text NOT NULL,
  requested_at      timestamp(3) with time zone NOT NULL DEFAULT CURRENT_TIMESTAMP,
  taken_at          timestamp(3) with time zone,
  outcome           json,
  finished_at       timestamp(3) with time zone,
  is_receiver_check boolean NOT NULL DEFAULT false,
  CONSTRAINT subscription_test_pkey PRIMARY KEY (id),
  CONSTRAINT subscription_test_subscription_id_fkey FOREIGN KEY (subscription_id) REFERENCES subscription(id) ON UPDATE CASCADE ON DELETE CASCADE,
  CONSTRAINT subscription_test_finished_with_outcome CHECK ((finished_at IS NULL) = (outcome IS NULL)),
  CONSTRAINT subscription_test_taken_before_finished CHECK (finished_at IS NULL OR taken_at IS NOT NULL)
);
CREATE UNIQUE INDEX subscription_test_one_at_a_time ON subscription_test USING btree (subscription_id) WHERE finished_at IS NULL;
CREATE INDEX subscription_test_requested_at_idx ON subscription_test USING btree (requested_at);
CREATE INDEX subscription_test_waiting_idx ON subscription_test USING btree (requested_at) WHERE taken_at IS NULL;

CREATE TABLE system_event (
  id              uuid NOT NULL DEFAULT gen_random_uuid(),
  type            text NOT NULL,
  tenant_id       text NOT NULL,
  subscription_id uuid NOT NULL,
  delivery_id     uuid,
  facts           jsonb NOT NULL DEFAULT '{}'::jsonb,
  happened_at     timestamp(3) with time zone NOT NULL DEFAULT CURRENT_TIMESTAMP,
  taken_until     timestamp(3) with time zone,
  CONSTRAINT system_event_pkey PRIMARY KEY (id),
  CONSTRAINT system_event_type CHECK (type = ANY (ARRAY['posthorn.subscription.failing'::text, 'posthorn.subscription.disabled'::text, 'posthorn.subscription.recovered'::text, 'posthorn.delivery.exhausted'::text]))
);
CREATE INDEX system_event_happened_at_idx ON system_event USING btree (happened_at);

CREATE TABLE tenant (
  id             text NOT NULL,
  name           text,
  metadata       jsonb NOT NULL DEFAULT '{}'::jsonb,
  contacts       jsonb NOT NULL DEFAULT '[]'::jsonb,
  created_at     timestamp(3) with time zone NOT NULL DEFAULT CURRENT_TIMESTAMP,
  updated_at     timestamp(3) with time zone NOT NULL DEFAULT CURRENT_TIMESTAMP,
  retention_days integer,
  retained_from  uuid,
  CONSTRAINT tenant_pkey PRIMARY KEY (id),
  CONSTRAINT tenant_id_form CHECK (id ~ '^[A-Za-z0-9_.:@|-]{1,128}$'::text),
  CONSTRAINT tenant_retention_days CHECK (retention_days >= 1 AND retention_days <= 3650)
);
CREATE INDEX tenant_created_at_id_idx ON tenant USING btree (created_at, id);

CREATE TABLE transform (
  tenant_id  text NOT NULL,
  hash       text NOT NULL,
  expression text NOT NULL,
  given_at   timestamp(3) with time zone NOT NULL,
  CONSTRAINT transform_pkey PRIMARY KEY (tenant_id, hash),
  CONSTRAINT transform_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenant(id) ON UPDATE CASCADE ON DELETE CASCADE
);
CREATE INDEX transform_tenant_id_given_at_idx ON transform USING btree (tenant_id, given_at);
