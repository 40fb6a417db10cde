import type { Uuid } from '@posthorn/contract'
import { type Runner, run } from './statement.ts'

export type LookRequest = {
  /** The shards to look at, and where the last look at each ended: behind this tenant ('' for none). */
  shards: readonly number[]
  afterTenants: readonly string[]
  /** Where the last look ended in the middle of a tenant's subscriptions: shard → tenant → subscription. */
  afterSubscriptions: ReadonlyMap<number, ReadonlyMap<string, Uuid>>
  /** Tenants of a shard at the most, and subscriptions in all, two of a tenant at least. */
  tenantsPerShard: number
  subscriptionsPerShard: number
}

/** A subscription with a delivery that is due. */
export type DueSubscription = {
  shard: number
  tenant_id: string
  subscription_id: string
  /** False while it is paused, disabled, deleted, slowed down or held back by its breaker: nothing of it may be sent now. */
  sends: boolean
  max_in_flight: number
  rate_limit_per_second: number | null
  ordered: boolean
}

/**
 * Looks for subscriptions that have a delivery due, in some shards, whatever else there is in them.
 *
 * In each shard it hops on `backlog_ready_idx` from one tenant with due work to the next, and within a tenant from one
 * subscription to the next, one probe a hop however many rows it passes: a subscription with a million waiting
 * deliveries, and a tenant with a thousand such subscriptions, hide nobody and cost nobody anything. It begins where the
 * last look ended, and answers in that order.
 *
 * Locks nothing. What it finds may be claimed by somebody else a moment later; claiming finds that out.
 */
export function selectDueSubscriptions(runner: Runner, request: LookRequest): Promise<DueSubscription[]> {
  return run<DueSubscription>(runner, {
    name: 'select-due-subscriptions',
    text,
    values: [
      request.shards,
      request.afterTenants,
      JSON.stringify(placesOf(request.afterSubscriptions)),
      request.tenantsPerShard,
      request.subscriptionsPerShard,
    ],
  })
}

function placesOf(places: LookRequest['afterSubscriptions']) {
  return Object.fromEntries([...places].map(([shard, ofTenants]) => [shard, Object.fromEntries(ofTenants)]))
}

const text = `
with found as materialized (
  select owned.shard, owned.place, t.n, t.tenant_id, u.i, u.subscription_id
  from unnest($1::smallint[], $2::text[]) with ordinality as owned (shard, after, place)
  cross join lateral (
    -- From the tenant behind the last one round to that one.
    with recursive hop as (
      (select b.tenant_id, 1 as n, b.tenant_id <= owned.after as again
       from backlog b
       where b.ready and b.shard = owned.shard
         and b.tenant_id >= coalesce(
           (select c.tenant_id from backlog c
            where c.ready and c.shard = owned.shard and c.tenant_id > owned.after
            order by c.tenant_id limit 1), '')
       order by b.tenant_id
       limit 1)
      union all
      select next.tenant_id, hop.n + 1, next.again
      from hop
      cross join lateral (
        (select b.tenant_id, hop.again
         from backlog b
         where b.ready and b.shard = owned.shard and b.tenant_id > hop.tenant_id
         order by b.tenant_id
         limit 1)
        union all
        (select b.tenant_id, true
         from backlog b
         where not hop.again and owned.after <> '' and b.ready and b.shard = owned.shard
         order by b.tenant_id
         limit 1)
        limit 1
      ) next
      where hop.n < $4::int and (not next.again or next.tenant_id <= owned.after)
    )
    select tenant_id, n, greatest(2, ceil($5::float8 / count(*) over ())) as subscriptions from hop
  ) t
  cross join lateral (
    with recursive hop as (
      select coalesce(
        (select b.subscription_id
         from backlog b
         where b.ready and b.shard = owned.shard and b.tenant_id = t.tenant_id
           and b.subscription_id > ($3::jsonb -> owned.shard::text ->> t.tenant_id)::uuid
         order by b.subscription_id
         limit 1),
        (select b.subscription_id
         from backlog b
         where b.ready and b.shard = owned.shard and b.tenant_id = t.tenant_id
         order by b.subscription_id
         limit 1)) as subscription_id, 1 as i
      union all
      select next.subscription_id, hop.i + 1
      from hop
      cross join lateral (
        select b.subscription_id
        from backlog b
        where b.ready and b.shard = owned.shard and b.tenant_id = t.tenant_id and b.subscription_id > hop.subscription_id
        order by b.subscription_id
        limit 1
      ) next
      where hop.i < t.subscriptions
    )
    select subscription_id, i from hop
  ) u
)
select f.shard, f.tenant_id, f.subscription_id,
       s.id is not null and s.state = 'active' and s.deleted_at is null
         -- A receiver that asked for a pause has it, but for what a person resends.
         and (s.not_before is null or s.not_before <= now() or exists (
           select from backlog b where b.ready and b.trigger <> 'automatic' and b.trigger = 'resend' and b.subscription_id = s.id))
         -- An open breaker waits for its next probe, but for what a person asked for.
         and (s.breaker_opened_at is null or s.breaker_probe_at <= now() or exists (
           select from backlog b where b.ready and b.trigger <> 'automatic' and b.subscription_id = s.id)) as sends,
       coalesce(s.max_in_flight, 0) as max_in_flight, s.rate_limit_per_second, coalesce(s.ordered, false) as ordered
from found f
left join lateral (select * from subscription where subscription.id = f.subscription_id limit 1) s on true
order by f.place, f.n, f.i`
