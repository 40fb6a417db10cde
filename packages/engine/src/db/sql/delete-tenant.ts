import { type Runner, run } from './statement.ts'

/**
 * Deletes a tenant, all or nothing: its unfinished deliveries are canceled and their work is taken out of the backlog,
 * then the row goes and takes subscriptions, secrets and API keys along. Answers whether there was such a tenant.
 *
 * An attempt in flight ends by itself: its work is gone, so its outcome moves nothing. An event published at the same
 * moment may leave work whose subscription no longer exists; the sweep takes it away.
 *
 * Locks the tenant's rows, the backlog before the deliveries. Reads the whole backlog, which is small, and walks
 * `delivery_held_idx` for each of its subscriptions.
 */
export async function deleteTenant(runner: Runner, id: string): Promise<boolean> {
  const rows = await run<{ id: string }>(runner, { name: 'delete-tenant', text, values: [id] })
  return rows.length > 0
}

const text = `
with gone as (
  delete from tenant where id = $1 returning id
), work as (
  delete from backlog b using gone where b.tenant_id = gone.id returning b.delivery_id
), held as (
  select d.id
  from subscription s
  join delivery d on d.subscription_id = s.id and d.held
  where s.tenant_id = $1
), canceled as (
  update delivery d
  set state = 'canceled', finished_at = now(), canceled_reason = 'tenant_deleted'
  where d.tenant_id = $1 and d.id in (select delivery_id from work union all select id from held)
)
select id from gone`
