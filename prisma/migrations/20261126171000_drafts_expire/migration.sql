-- A draft that nobody runs ends by itself, and its items go with it (decision 0033).
alter table replay
  -- Those there are have as long as a new one: nobody was told of an end.
  add column expires_at timestamptz(3) not null default current_timestamp + interval '24 hours',
  -- Items of an expired draft are taken away behind it, in portions. False when none is left.
  add column has_items boolean not null default true,
  drop constraint replay_state,
  add constraint replay_state check (state in ('draft', 'running', 'paused', 'completed', 'canceled', 'expired')),
  drop constraint replay_finished_iff_final,
  add constraint replay_finished_iff_final
    check ((finished_at is not null) = (state in ('completed', 'canceled', 'expired')));
-- The drafts by when they end, and the few expired ones that still have items.
create index replay_draft_expires_at_idx on replay (expires_at) where state = 'draft';
create index replay_expired_with_items_idx on replay (id) where state = 'expired' and has_items;
