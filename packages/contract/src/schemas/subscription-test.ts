import { type Static, Type } from 'typebox'
import { Attempt } from './attempt.ts'
import { EventTypeName } from './event-type.ts'
import { Id } from './id-text.ts'
import { Nullable } from './nullable.ts'
import { named } from './reference.ts'
import { Texts } from './text.ts'

const { started_at, remote_address, response, failure_code, failure_detail, timings } = Attempt.properties

export const SubscriptionTest = named(
  'SubscriptionTest',
  Type.Object(
    {
      subscription_id: Id('subscription'),
      event_id: Id('event', { description: 'The `webhook-id`. There is no such event' }),
      event_type: EventTypeName(),
      accepted: Type.Boolean({ description: 'The receiver answered 2xx' }),
      started_at,
      request: Type.Object({
        method: Type.String(),
        url: Type.String(),
        headers: Texts(),
        body: Nullable(Type.String({ description: 'Null for keys that may not see payloads' })),
      }),
      remote_address,
      response,
      failure_code,
      failure_detail,
      explained_at: Nullable(Type.String({ description: 'Where the failure code is explained' })),
      timings,
    },
    { description: 'What came of testing a subscription' },
  ),
)
export type SubscriptionTest = Static<typeof SubscriptionTest>

export const TestSubscriptionQuery = Type.Object(
  {
    event_type: Type.Optional(
      EventTypeName({ description: 'Send the first example of its newest version; `posthorn.test` when left out' }),
    ),
  },
  { additionalProperties: false },
)
