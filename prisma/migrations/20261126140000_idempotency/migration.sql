-- Requests that may be repeated: what was answered to each, for a day (docs/decisions/0044).
create table idempotency_key (
  owner text not null,
  key text not null,
  id uuid not null,
  fingerprint bytea not null,
  begun_at timestamptz(3) not null default current_timestamp,
  -- Until then the process that began it is believed to be at it.
  held_until timestamptz(3) not null,
  -- Status, headers and body, sealed; null until there is an answer.
  sealed_answer bytea,
  constraint idempotency_key_pkey primary key (owner, key),
  constraint idempotency_key_fingerprint_is_sha256 check (length(fingerprint) = 32)
);

create index idempotency_key_begun_at_idx on idempotency_key (begun_at);
