-- Health: since when a subscription has nothing but failure, its circuit breaker, what the operator is told of it, and
-- why a delivery was canceled.

alter table subscription
  -- The first failed attempt since the last one that was accepted.
  add column failing_since timestamptz(3),
  -- How much of the time until it is disabled the operator has been told of, in percent.
  add column failing_percent smallint not null default 0,
  -- The operator was told that it fails or is disabled, and will be told that it has recovered.
  add column recovery_due boolean not null default false,
  -- While its circuit breaker is open: since when, when the next probe may be made, and how many have failed.
  add column breaker_opened_at timestamptz(3),
  add column breaker_probe_at timestamptz(3),
  add column breaker_failed_probes integer not null default 0,
  add constraint subscription_failing_percent check (failing_percent between 0 and 99),
  add constraint subscription_breaker_open_has_probe check ((breaker_opened_at is null) = (breaker_probe_at is null)),
  add constraint subscription_breaker_failed_probes check (breaker_failed_probes >= 0);
-- The few that the timer looks at.
create index subscription_failing_idx on subscription (failing_since) where failing_since is not null;

-- Attempts that a person asked for are made while the breaker holds everything else of the subscription back. Hardly
-- ever has it a row, and no row of the schedule pays for it.
create index backlog_asked_idx on backlog (subscription_id, next_attempt_at) where ready and trigger <> 'automatic';

-- The failures of a subscription by time: what disables it, and what its health counts. An accepted attempt is not in it:
-- with all attempts in it, recording takes up to a tenth longer.
create index attempt_failed_idx on attempt (subscription_id, id) where failure_code is not null;

alter table delivery
  add column canceled_reason text,
  add constraint delivery_canceled_reason check (
    canceled_reason in ('canceled_by_person', 'resume_none', 'subscription_deleted', 'tenant_deleted')),
  add constraint delivery_only_canceled_has_reason check (canceled_reason is null or state = 'canceled');

-- What the operator is to be told, written by the statement that made it true and taken away when it is published.
create table system_event (
  -- Published under this id: however often it is, it is stored once.
  id              uuid not null default gen_random_uuid(),
  type            text not null,
  tenant_id       text not null,
  subscription_id uuid not null,
  delivery_id     uuid,
  facts           jsonb not null default '{}',
  happened_at     timestamptz(3) not null default current_timestamp,
  -- Somebody is at it until then. Not indexed, so that taking one rewrites nothing else.
  taken_until     timestamptz(3),
  primary key (id),
  constraint system_event_type check (type in (
    'posthorn.subscription.failing', 'posthorn.subscription.disabled', 'posthorn.subscription.recovered',
    'posthorn.delivery.exhausted'))
);
create index system_event_happened_at_idx on system_event (happened_at);
