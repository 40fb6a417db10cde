-- Who tries an event in the outbox again, or gives it up, stands in the audit log.
alter table audit_entry
  drop constraint audit_entry_action,
  add constraint audit_entry_action check (action in (
    'tenant_put', 'tenant_deleted', 'event_type_put', 'event_type_archived', 'event_type_version_created',
    'event_types_imported', 'subscription_created', 'subscription_changed', 'subscription_deleted', 'subscription_paused',
    'subscription_resumed', 'subscription_tested', 'secrets_revealed', 'secret_rotated', 'key_pair_rotated',
    'delivery_resent', 'delivery_canceled', 'replay_created', 'replay_started', 'replay_paused', 'replay_resumed',
    'replay_changed', 'replay_canceled', 'erasure_requested', 'outbox_event_retried', 'outbox_event_given_up',
    'api_key_created', 'api_key_revoked', 'portal_session_created', 'portal_session_revoked'));
