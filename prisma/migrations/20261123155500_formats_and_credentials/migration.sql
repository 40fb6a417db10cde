-- What a subscription's requests look like and carry, and which answers end a delivery at once. The credentials are sealed
-- before they come here: the database never sees them, and what people are shown of them stands beside.
alter table subscription
  add column payload_format text not null default 'standard',
  add column final_statuses integer[] not null default '{}',
  add column auth_sealed bytea,
  add column auth_type text,
  add column auth_shown jsonb,
  add constraint subscription_payload_format
    check (payload_format in ('standard', 'cloudevents-structured', 'cloudevents-binary', 'raw')),
  -- 410 is final by itself; 429, 502, 503 and 504 ask for patience.
  add constraint subscription_final_statuses
    check (cardinality(final_statuses) <= 20 and 300 <= all (final_statuses) and 599 >= all (final_statuses)
      and not final_statuses && '{410,429,502,503,504}'),
  add constraint subscription_auth_type check (auth_type in ('basic', 'bearer', 'api_key')),
  add constraint subscription_auth_whole
    check ((auth_sealed is null) = (auth_type is null) and (auth_sealed is null) = (auth_shown is null));
