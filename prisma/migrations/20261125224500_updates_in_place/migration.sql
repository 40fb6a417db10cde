-- An update of a row touches no index when no column of any index, or of the condition of a partial one, has changed.
-- Every delivery changes its state, and two partial indexes asked for the state. They ask now for columns that change
-- only for the few deliveries that they are about, so that to deliver one touches no index (decision 0030).

alter table delivery
  add column held boolean not null generated always as (state = 'held') stored,
  add column failed boolean not null generated always as (state = 'failed') stored;

drop index delivery_failed_idx;
drop index delivery_held_idx;
create index delivery_failed_idx on delivery (id) where failed;
create index delivery_held_idx on delivery (subscription_id, id) where held;
