-- Secrets are stored sealed, and a subscription may sign by Ed25519 (v1a) beside HMAC (v1).
-- A database has no master key, so a key that is stored as it is (master_key_id is null) stays so here; the next start of
-- `posthorn serve`, or `posthorn rewrap`, seals it. Nothing signs with it before.

alter table secret drop constraint secret_key_length;
alter table secret rename column key to sealed_key;
alter table secret add column master_key_id text;
alter table secret add column scheme text not null default 'v1';
alter table secret add column public_key text;
alter table secret add constraint secret_scheme check (scheme in ('v1a', 'v1'));
alter table secret add constraint secret_public_key_iff_v1a check ((scheme = 'v1a') = (public_key is not null));
-- The key has 24 to 64 bytes; sealing adds one of version, 8 of the master key's id, 12 of nonce and 16 of tag.
alter table secret add constraint secret_sealed_key_length check (
  length(sealed_key) - case when master_key_id is null then 0 else 37 end between 24 and 64
);
drop index secret_one_current;
-- A subscription has one current secret of each scheme; the others carry the time they stop signing.
create unique index secret_one_current on secret (subscription_id, scheme) where expires_at is null;

-- The current public key, which is there exactly while the subscription signs by v1a.
alter table subscription add column public_key text;
