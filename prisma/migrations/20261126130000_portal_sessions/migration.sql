-- Portal sessions: what a customer's browser is given for a while; and what an API key may do beside what its role may.

alter table api_key
  add column permissions text[] not null default '{}',
  add constraint api_key_permissions check (permissions <@ array['payloads:read']);

create table portal_session (
  id           uuid primary key,
  tenant_id    text not null references tenant (id) on delete cascade on update cascade,
  -- SHA-256 of its token: nobody can show it a second time.
  hash         bytea not null,
  capabilities text[] not null,
  theme        jsonb not null default '{}',
  -- Who uses it, in the words of who made it.
  on_behalf_of text,
  -- The API key that it was made with. It ends with that one, at the latest.
  created_by   uuid not null references api_key (id) on delete cascade on update cascade,
  created_at   timestamptz(3) not null default current_timestamp,
  expires_at   timestamptz(3) not null,
  revoked_at   timestamptz(3),
  constraint portal_session_capabilities check (
    cardinality(capabilities) > 0 and
    capabilities <@ array['event-types:read', 'subscriptions:read', 'subscriptions:write', 'subscriptions:pause', 'secrets:reveal',
      'secrets:rotate', 'events:read', 'payloads:read', 'deliveries:read', 'deliveries:resend', 'deliveries:cancel']),
  constraint portal_session_hash_is_sha256 check (length(hash) = 32)
);
create unique index portal_session_hash_key on portal_session (hash);
create index portal_session_tenant_id_id_idx on portal_session (tenant_id, id);
create index portal_session_expires_at_idx on portal_session (expires_at);
