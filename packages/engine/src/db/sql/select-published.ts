import { type Runner, run } from './statement.ts'

export type PublishedRow = {
  tenant_id: string
  publish_id: string
  event_id: string
  /** Null for an event that matched no subscription. */
  delivery_id: string | null
  subscription_id: string | null
}

/**
 * The events that were published first under these ids of their publishers, with their deliveries in the
 * order in which they were made.
 * Locks nothing; walks `event_publish_id_pkey` and `delivery_event_id_idx`.
 */
export function selectPublished(
  runner: Runner,
  published: readonly { tenantId: string; publishId: string }[],
): Promise<PublishedRow[]> {
  const values = [published.map((one) => one.tenantId), published.map((one) => one.publishId)]
  return run<PublishedRow>(runner, { name: 'select-published', text, values })
}

const text = `
select p.tenant_id, p.publish_id, p.event_id, d.id as delivery_id, d.subscription_id
from unnest($1::text[], $2::text[]) as asked (tenant_id, publish_id)
join event_publish_id p on p.tenant_id = asked.tenant_id and p.publish_id = asked.publish_id
left join delivery d on d.event_id = p.event_id
order by d.id`
