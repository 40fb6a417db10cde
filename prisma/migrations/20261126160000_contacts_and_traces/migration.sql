-- Whom to tell about a subscription, and whether its receiver is sent the trace of the publisher.
alter table subscription
  add column contacts jsonb not null default '[]',
  add column forward_traceparent boolean not null default false;
