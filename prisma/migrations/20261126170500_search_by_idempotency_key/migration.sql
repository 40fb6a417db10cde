-- What was published under an idempotency key is found by it (docs/decisions/0044): the key goes first in the primary key,
-- so that it can be looked up whoever's it is, at no cost for those who publish.
alter table idempotency_key
  drop constraint idempotency_key_pkey,
  add constraint idempotency_key_pkey primary key (key, owner),
  -- The tenant of the credential. Null: the operator's.
  add column tenant_id text,
  -- What was asked for: an operationId. Null for requests that were begun before this was kept.
  add column operation text,
  -- The events that it has published, new or known from before; null until there is an answer.
  add column event_ids uuid[];
