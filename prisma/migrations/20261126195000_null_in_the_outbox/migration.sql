-- Whoever writes every column, as many libraries do, says null for what there is none of, and means the default. Rows
-- that say nothing pay nothing: the condition is looked at before the function is called.
create function outbox_event_filled() returns trigger language plpgsql
set search_path = pg_catalog, pg_temp as $$
begin
  new.id := coalesce(new.id, gen_random_uuid());
  new."timestamp" := coalesce(new."timestamp", clock_timestamp());
  new.keys := coalesce(new.keys, '{}');
  return new;
end
$$;
create trigger outbox_event_filled before insert on outbox_event
  for each row when (new.id is null or new."timestamp" is null or new.keys is null)
  execute function outbox_event_filled();
