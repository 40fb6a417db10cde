-- Business keys, to find events and deliveries by: one narrow row a key, and only events that have keys pay for it.
-- The value comes first, because people search for one without knowing whose it is or what it is called; behind
-- (value, tenant_id, name) the ids stand in the order of time (decision 0032).
create table event_key (
  value     text not null,
  tenant_id text not null,
  name      text not null,
  event_id  uuid not null,
  primary key (value, tenant_id, name, event_id)
) partition by range (event_id);

-- A partition for each that events have already, and the keys of what was published before.
do $$
declare
  day record;
begin
  for day in
    select 'event_key_' || substr(child.relname, length('event_') + 1) as name,
           pg_get_expr(child.relpartbound, child.oid) as bounds
    from pg_inherits i
    join pg_class child on child.oid = i.inhrelid
    where i.inhparent = 'event'::regclass
  loop
    execute format('create table %I partition of event_key %s', day.name, day.bounds);
  end loop;
end
$$;

insert into event_key (value, tenant_id, name, event_id)
select k.value, e.tenant_id, k.key, e.id
from event e
cross join lateral jsonb_each_text(e.keys) k
where e.keys <> '{}';
