import { type Database, type Seal, sealSecret } from '@posthorn/engine'

/** Every subscription has a key of its own; which one does not matter to a receiver that does not look. */
const keyBytes = 32

/**
 * Subscriptions with a secret and, where it is missing, the tenant of each. They want every event type.
 *
 * Locks the new rows only. Nobody else uses the database of a benchmark while it is filled.
 */
export async function insertSubscriptions(
  { pool }: Database,
  seal: Seal,
  subscriptions: readonly { id: string; tenantId: string; url: string; shard: number }[],
): Promise<void> {
  const sealed = subscriptions.map(({ id, tenantId }) =>
    sealSecret(seal, Buffer.alloc(keyBytes, id), { id, tenantId, subscriptionId: id, scheme: 'v1' }),
  )
  await pool.query(text, [
    subscriptions.map(({ id }) => id),
    subscriptions.map(({ tenantId }) => tenantId),
    subscriptions.map(({ url }) => url),
    subscriptions.map(({ shard }) => shard),
    sealed.map(({ sealedKey }) => Buffer.from(sealedKey)),
    seal.sealsWith,
  ])
}

const text = `
with planned as (
  select * from unnest($1::uuid[], $2::text[], $3::text[], $4::smallint[], $5::bytea[]) as p (id, tenant_id, url, shard, sealed_key)
), owner as (
  insert into tenant (id) select distinct tenant_id from planned on conflict do nothing
), wanted as (
  insert into subscription (id, tenant_id, url, event_types, shard)
  select id, tenant_id, url, '{*}', shard from planned
)
insert into secret (id, tenant_id, subscription_id, sealed_key, master_key_id)
select id, tenant_id, id, sealed_key, $6::text from planned`
