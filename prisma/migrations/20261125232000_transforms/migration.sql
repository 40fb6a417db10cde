-- Transforms: what makes the data that a subscription is sent. Text, because it is a program and not data.
alter table subscription
  add column transform text,
  add constraint subscription_transform check (octet_length(transform) between 1 and 16384);

-- What was sent is not stored: it is made again, and for that the transform of that time is needed. One row for each
-- different one that a tenant has had; requests name it by its hash.
create table transform (
  tenant_id  text not null references tenant (id) on update cascade on delete cascade,
  hash       text not null,
  expression text not null,
  given_at   timestamptz(3) not null,
  primary key (tenant_id, hash)
);
create index transform_tenant_id_given_at_idx on transform (tenant_id, given_at);

-- A transform that fails is a failed attempt.
alter table attempt
  drop constraint attempt_failure_code,
  add constraint attempt_failure_code check (failure_code in (
    'dns_not_found', 'connect_refused', 'connect_timeout', 'connection_reset', 'tls_expired', 'tls_untrusted', 'tls_error',
    'response_timeout', 'response_malformed', 'http_3xx', 'http_4xx', 'http_410', 'http_429', 'http_5xx',
    'blocked_address', 'transform_failed', 'auth_failed', 'egress_proxy_failed', 'aborted', 'internal_error'));
