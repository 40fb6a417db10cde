-- Two event types whose names differ only in case are taken for one another by people and by the file systems of those who
-- generate code from them. There may be such pairs already: they stay, all but the oldest of each marked, and no further
-- ones can be made.
alter table event_type add column case_variant boolean not null default false;

update event_type t
set case_variant = true
where exists (
  select 1
  from event_type o
  where lower(o.name collate "C") = lower(t.name collate "C") and (o.created_at, o.name) < (t.created_at, t.name)
);

create unique index event_type_name_in_any_case on event_type (lower(name collate "C")) where not case_variant;

-- What a version changed for receivers, as it was told when it was made. Null for versions made before it was told.
alter table event_type_version add column comparison json;
