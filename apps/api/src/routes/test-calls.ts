/** What the two calls that have a subscription tested share: who may, what they are given, how they are refused. */
import { PathId, type Uuid } from '@posthorn/contract'
import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { pathId } from '../path-id.ts'
import { refusals } from '../refusals.ts'

export const testConfig = {
  permission: 'subscriptions:test',
  bodyOptional: true,
  audit: 'subscription_tested',
} as const

export const testedSubscription = Type.Object({ id: PathId('subscription') })
/** There is nothing to say. */
export const nothingSaid = Type.Object({}, { additionalProperties: false })

export function testRefusals(): object {
  return refusals(
    { body: true },
    'subscription_not_found',
    'event_type_not_found',
    'subscription_test_running',
    'no_dispatcher',
    'outcome_unknown',
  )
}

/** For the description of a call. */
export const whoSendsIt =
  'A dispatcher sends it: `no_dispatcher` when none came for it and nothing was sent, `outcome_unknown` when the one that took it did not tell what came of it.'

/** Which subscription, and what with. */
export function askedOf(
  id: string,
  { event_type: eventType }: { event_type?: string },
  { credential }: Pick<FastifyRequest, 'credential'>,
): { subscriptionId: Uuid; asked: { eventType?: string; actor: string } } {
  return {
    subscriptionId: pathId('subscription', id),
    asked: { ...(eventType !== undefined && { eventType }), actor: credential.actor },
  }
}
