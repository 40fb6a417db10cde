import type { Uuid } from '@posthorn/contract'
import { type Runner, run } from './statement.ts'

/**
 * Says that nothing is held any more for a subscription that was resumed. Does nothing while there is something held, or
 * when it is no longer active: another resume, or another pass, will say so then.
 *
 * Locks the subscription; walks `delivery_held_idx`.
 */
export async function finishRelease(runner: Runner, subscriptionId: Uuid): Promise<void> {
  await run(runner, { name: 'finish-release', text, values: [subscriptionId] })
}

const text = `
update subscription s
set releasing = false
where s.id = $1 and s.releasing and s.state = 'active'
  and not exists (select from delivery d where d.subscription_id = s.id and d.held)`
