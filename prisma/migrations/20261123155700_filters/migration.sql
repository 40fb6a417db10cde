-- Which events of its types a subscription wants, by their content. Text and not jsonb: numbers stay as they are written,
-- and the text is what compiled filters are remembered by.
alter table subscription
  add column filter text,
  add constraint subscription_filter check (octet_length(filter) between 2 and 8192);
