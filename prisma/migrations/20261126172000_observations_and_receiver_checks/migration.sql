-- One event in sixteen, by its type: where what was published is compared with what its schema declares, for types that are
-- rare among the newest events. Only of those that still have their content. A publish writes an entry for few events, and
-- no statement that does not ask for just this is planned by it.
create index event_sampled_idx on event (type, id) where erased_at is null and get_byte(uuid_send(id), 15) < 16;

-- A test that is a check of the receiver: several requests in a row, of which a scorecard is made.
alter table subscription_test add column is_receiver_check boolean not null default false;
