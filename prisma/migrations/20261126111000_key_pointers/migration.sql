-- Business keys that are read out of the data: the name of a key, and the JSON pointer of its value.
alter table event_type
  add column key_pointers jsonb not null default '{}';
