-- The audit log: who changed, revealed, resent or replayed what, and why. Written by the transaction of the change.
create table audit_entry (
  id           uuid primary key,
  -- Null for what belongs to no tenant, such as an event type. No foreign key: entries outlive their tenant.
  tenant_id    text,
  -- The credential: `key_…` or `ses_…`.
  actor        text not null,
  on_behalf_of text,
  action       text not null,
  target       text not null,
  reason       text,
  request_id   text,
  constraint audit_entry_action check (action in (
    'tenant_put', 'tenant_deleted', 'event_type_put', 'event_type_archived', 'event_type_version_created',
    'event_types_imported', 'subscription_created', 'subscription_changed', 'subscription_deleted', 'subscription_paused',
    'subscription_resumed', 'subscription_tested', 'secrets_revealed', 'secret_rotated', 'key_pair_rotated',
    'delivery_resent', 'delivery_canceled', 'replay_created', 'replay_started', 'replay_paused', 'replay_resumed', 'replay_changed',
    'replay_canceled', 'erasure_requested', 'api_key_created', 'api_key_revoked', 'portal_session_created',
    'portal_session_revoked'))
);
create index audit_entry_tenant_id_id_idx on audit_entry (tenant_id, id);
create index audit_entry_target_id_idx on audit_entry (target, id);
create index audit_entry_actor_id_idx on audit_entry (actor, id);

-- Append-only. Nothing is ever changed; what is taken away is older than thirty days, by the time in its id, whatever the
-- setting of the retention says. The floor is of the database's own clock.
create function refuse_audit_change() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' then
    if to_timestamp(('x' || translate(left(old.id::text, 13), '-', ''))::bit(48)::bigint / 1000.0) < now() - interval '30 days' then
      return old;
    end if;
  end if;
  raise exception 'the audit log is append-only' using errcode = 'restrict_violation';
end
$$;
create trigger audit_entry_is_append_only before update or delete on audit_entry
  for each row execute function refuse_audit_change();
create trigger audit_entry_is_not_truncated before truncate on audit_entry
  for each statement execute function refuse_audit_change();
