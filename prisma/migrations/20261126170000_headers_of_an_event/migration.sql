-- Headers that the publisher of an event gives along for every request (docs/decisions/0049). Null for nothing, so that
-- events without any cost nothing.
alter table event add column headers jsonb;
alter table outbox_event
  add column headers jsonb,
  add constraint outbox_event_headers check (headers @> '{}');
