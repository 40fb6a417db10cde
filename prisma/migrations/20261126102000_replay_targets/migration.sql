-- A replay may go to another URL: a staging receiver, which has a signing secret of its own, sealed before it comes here.
alter table replay
  add column target_url text,
  add column target_key_sealed bytea,
  add constraint replay_target_has_key check ((target_url is null) = (target_key_sealed is null));
