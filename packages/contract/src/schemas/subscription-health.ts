import { type Static, Type } from 'typebox'
import { limits } from '../limits.ts'
import { breakerStates, disabledReasons, failureCodes, subscriptionStates } from '../states.ts'
import { EventTypeName } from './event-type.ts'
import { Id } from './id-text.ts'
import { Nullable } from './nullable.ts'
import { named } from './reference.ts'
import { Time } from './text.ts'

/** How far a subscription is with its work. */
export const SubscriptionHealth = named(
  'SubscriptionHealth',
  Type.Object(
    {
      subscription_id: Id('subscription'),
      state: Type.Enum([...subscriptionStates], { type: 'string' }),
      disabled_reason: Nullable(Type.Enum([...disabledReasons], { type: 'string' })),
      attempts: Type.Object(
        {
          minutes: Type.Integer({ description: 'How far back it is counted' }),
          accepted: Type.Integer({ description: 'Deliveries that were accepted in this time' }),
          failed: Type.Integer({
            description:
              'Attempts that failed in it. What a person asked for does not count, nor do faults of Posthorn.',
          }),
          success_rate: Nullable(
            Type.Number({ description: 'Accepted of accepted and failed, from 0 to 1; null when there is neither' }),
          ),
        },
        {
          description: `Looked at are its newest ${limits.healthAttemptsMax} deliveries. While more than these wait, there may be nothing to count.`,
        },
      ),
      consecutive_failures: Type.Object(
        {
          count: Type.Integer({ description: `At most ${limits.healthAttemptsMax}` }),
          has_more: Type.Boolean({ description: 'There are more than were counted' }),
        },
        { description: 'Failed attempts since the last one that was accepted' },
      ),
      failing_since: Nullable(Time('The first of them')),
      disable_at: Nullable(
        Time('When it is disabled if nothing is accepted until then and it goes on being tried; null when not failing'),
      ),
      breaker: Type.Object(
        {
          state: Type.Enum([...breakerStates], { type: 'string' }),
          opened_at: Nullable(Time()),
          next_probe_at: Nullable(Time('When one delivery is tried next, if there is one')),
          failed_probes: Type.Integer(),
        },
        {
          description:
            'While it is `open`, nothing is sent and no attempt is spent, because nearly everything failed. Then it is `half_open`: one delivery is tried, and if it is accepted the breaker is `closed`.',
        },
      ),
      ordered: Type.Boolean(),
      backlog: Type.Object(
        {
          count: Type.Integer({ description: `At most ${limits.backlogCountMax}` }),
          has_more: Type.Boolean({ description: 'There are more than were counted' }),
        },
        { description: 'Deliveries that are due, in flight or waiting for a retry. Held ones are not among them.' },
      ),
      held: Type.Object(
        {
          count: Type.Integer({ description: `At most ${limits.backlogCountMax}` }),
          has_more: Type.Boolean({ description: 'There are more than were counted' }),
        },
        { description: 'Deliveries that wait until the subscription is resumed' },
      ),
      not_before: Nullable(
        Time(
          'The receiver has asked for a pause until then (`Retry-After`). What a person resends is sent all the same.',
        ),
      ),
      oldest_due_at: Nullable(Time('Since when the delivery that has been due longest waits to be sent')),
      blocked_by: Nullable(
        Type.Object(
          {
            delivery_id: Id('delivery'),
            event_id: Id('event'),
            event_type: EventTypeName(),
            since: Time('When its first attempt began'),
            next_attempt_at: Nullable(Time('Null while an attempt is in flight')),
            attempt_count: Type.Integer(),
            last_failure_code: Nullable(Type.Enum([...failureCodes], { type: 'string' })),
            last_http_status: Nullable(Type.Integer()),
          },
          {
            description:
              'The delivery that has failed and that the others of an ordered subscription wait for. Resend it to try now, cancel it to go on without it.',
          },
        ),
      ),
    },
    { description: 'How a subscription does and how far it is with its work, looked at now' },
  ),
)
export type SubscriptionHealth = Static<typeof SubscriptionHealth>
