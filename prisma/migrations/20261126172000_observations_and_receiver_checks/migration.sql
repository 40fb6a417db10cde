-- The newest events of a type, to compare what was published with what its schema declares. Only what still has its
-- content: so no walk passes over what was erased, and no statement that does not ask for that is planned by this index.
create index event_type_content_idx on event (type, id) where erased_at is null;

-- A test that is a check of the receiver: several requests in a row, of which a scorecard is made.
alter table subscription_test add column is_receiver_check boolean not null default false;
