-- A delivery whose event was erased is left out of replays for that reason, and not as one that is no longer kept.
alter table replay_item
  drop constraint replay_item_skip_reason,
  add constraint replay_item_skip_reason check (skip_reason in (
    'delivered', 'pending', 'retrying', 'in_flight', 'held', 'canceled',
    'subscription_paused', 'subscription_disabled', 'subscription_deleted', 'erased', 'removed'));
