/**
 * What a person may do with one delivery: ask for one more attempt, or call it off.
 */

import { type DeliveryState, deliveryCan, formatId, Problem, type Uuid } from '@posthorn/contract'
import { inAuditedTransaction } from './audit.ts'
import type { Database } from './db/database.ts'
import { cancelDelivery as cancelStatement } from './db/sql/cancel-delivery.ts'
import { resendDelivery as resendStatement } from './db/sql/resend-delivery.ts'

export type PersonsRequest = {
  deliveryId: Uuid
  /** The only tenant whose deliveries the caller may see, or undefined for all. */
  tenantId: string | undefined
  /** Who asks: stands beside the attempt. */
  actor: string
  reason?: string | undefined
}

/**
 * Asks for one more attempt, now. The schedule of a delivery that is still being retried goes on unchanged.
 *
 * @returns the shard that has work now
 * @throws Problem `delivery_not_found`, `delivery_state_conflict`, `subscription_not_active`, `content_erased`
 */
export async function resendDelivery(db: Database, request: PersonsRequest): Promise<number> {
  const found = await inAuditedTransaction(db, async (runner, write) => {
    const row = await resendStatement(runner, {
      deliveryId: request.deliveryId,
      tenantId: request.tenantId ?? null,
      states: deliveryCan.resend,
      trigger: 'resend',
      actor: request.actor,
      reason: request.reason ?? null,
    })
    if (row?.taken) await write({ target: formatId('delivery', request.deliveryId), tenantId: row.tenant_id })
    return row
  })
  if (found === undefined) throw notFound(request.deliveryId)
  if (found.taken) return found.shard
  if (found.erased) {
    throw new Problem('content_erased', 'What the event of this delivery held was erased, so there is nothing to send.')
  }
  if (found.subscription_state === 'deleted') {
    throw new Problem(
      'subscription_not_active',
      'The subscription of this delivery was deleted, so there is nowhere to send it.',
      { status: 422 },
    )
  }
  if (found.subscription_state !== 'active') {
    throw new Problem(
      'subscription_not_active',
      `The subscription is ${found.subscription_state}. Resume it first; what is held is sent then.`,
    )
  }
  throw conflict('resent', found.state, found.in_flight, deliveryCan.resend)
}

/**
 * Calls a delivery off: no further attempt is made.
 *
 * @throws Problem `delivery_not_found`, `delivery_state_conflict`
 */
export async function cancelDelivery(db: Database, request: PersonsRequest): Promise<void> {
  const found = await inAuditedTransaction(db, async (runner, write) => {
    const row = await cancelStatement(runner, {
      deliveryId: request.deliveryId,
      tenantId: request.tenantId ?? null,
      states: deliveryCan.cancel,
    })
    if (row?.taken) await write({ target: formatId('delivery', request.deliveryId), tenantId: row.tenant_id })
    return row
  })
  if (found === undefined) throw notFound(request.deliveryId)
  if (!found.taken) throw conflict('canceled', found.state, found.in_flight, deliveryCan.cancel)
}

function notFound(deliveryId: Uuid): Problem {
  return new Problem('delivery_not_found', `There is no delivery ${formatId('delivery', deliveryId)}.`)
}

function conflict(what: string, state: DeliveryState, inFlight: boolean, allowed: readonly DeliveryState[]): Problem {
  if (inFlight)
    return new Problem(
      'delivery_state_conflict',
      `An attempt is in flight, so the delivery cannot be ${what} now. Look again in a moment.`,
    )
  return new Problem(
    'delivery_state_conflict',
    `The delivery is ${state}; only ${allowed.join(', ')} ones can be ${what}.`,
  )
}
