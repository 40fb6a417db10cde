-- Minutes come to their hour when it is over, and are kept beside it for as long as fine intervals are told: a question about
-- a day reads 24 hours and the minutes at its ends in place of 1440 minutes.
create table attempt_minute_kept (like attempt_minute including comments)
with (
  -- As many rows leave as come.
  autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0
);
alter table attempt_minute_kept
  add primary key (starts_at, tenant_id, subscription_id, event_type, trigger, failure_code, host);
create index attempt_minute_kept_tenant_id_starts_at_idx on attempt_minute_kept (tenant_id, starts_at);

-- The minutes of an hour come in several pieces, and each adds to the rows of the hour.
alter table attempt_hour set (fillfactor = 60);
