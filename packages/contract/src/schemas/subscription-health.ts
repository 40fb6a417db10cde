import { type Static, Type } from 'typebox'
import { limits } from '../limits.ts'
import { failureCodes, subscriptionStates } from '../states.ts'
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
      ordered: Type.Boolean(),
      backlog: Type.Object(
        {
          count: Type.Integer({ description: `At most ${limits.backlogCountMax}` }),
          has_more: Type.Boolean({ description: 'There are more than were counted' }),
        },
        { description: 'Deliveries that are due, in flight or waiting for a retry. Held ones are not among them.' },
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
    { description: 'How far a subscription is with its work, looked at now' },
  ),
)
export type SubscriptionHealth = Static<typeof SubscriptionHealth>
