-- Pacing: a limit by rate, deliveries in order, and turns between tenants before turns between their subscriptions.

alter table subscription
  add column rate_limit_per_second integer,
  add column ordered boolean not null default false,
  -- Held deliveries are being put back after a resume: in an ordered subscription nothing newer may pass them.
  add column releasing boolean not null default false,
  add constraint subscription_rate_limit check (rate_limit_per_second between 1 and 10000);

-- Claims hop from tenant to tenant, and within one from subscription to subscription.
drop index backlog_ready_idx;
create index backlog_ready_idx on backlog (shard, tenant_id, subscription_id, next_attempt_at) where ready;

-- The oldest unfinished delivery of a subscription, whether due, waiting or in flight; and all of a subscription's work.
create index backlog_subscription_id_delivery_id_idx on backlog (subscription_id, delivery_id);
