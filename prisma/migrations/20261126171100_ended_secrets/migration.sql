-- A rotation without an overlap ends older secrets at once: they sign no more, whatever clocks say, and are kept as long as
-- those whose time is over, so that a signature made with one can be named.
alter table secret
  add column ended boolean not null default false,
  add constraint secret_ended_has_time check (not ended or expires_at is not null);
