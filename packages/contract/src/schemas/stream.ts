/**
 * What `GET /v1/stream` tells: one message for each attempt that was recorded, with ids and states and nothing else.
 */
import { type Static, Type } from 'typebox'
import { limits } from '../limits.ts'
import { attemptTriggers, deliveryStates, failureCodes } from '../states.ts'
import { EventTypeName } from './event-type.ts'
import { Id } from './id-text.ts'
import { deliveryFilterParameters } from './list-filter.ts'
import { Nullable } from './nullable.ts'
import { named } from './reference.ts'
import { TenantId } from './tenant.ts'
import { Time } from './text.ts'

/** The `data` of a message `attempt`. */
export const StreamedAttempt = named(
  'StreamedAttempt',
  Type.Object(
    {
      attempt_id: Id('attempt'),
      delivery_id: Id('delivery'),
      event_id: Id('event'),
      subscription_id: Id('subscription'),
      tenant: TenantId(),
      event_type: EventTypeName(),
      state: Type.Enum([...deliveryStates], {
        type: 'string',
        description: 'Of the delivery, when the message was made',
      }),
      number: Type.Integer({ description: 'Which attempt of the delivery it was' }),
      trigger: Type.Enum([...attemptTriggers], { type: 'string' }),
      failure_code: Nullable(Type.Enum([...failureCodes], { type: 'string' })),
      http_status: Nullable(Type.Integer()),
      ended_at: Time(),
    },
    { description: 'The `data` of a message `attempt` of the stream' },
  ),
)
export type StreamedAttempt = Static<typeof StreamedAttempt>

/** Why a stream has to begin anew: what happened meanwhile is not all in it. */
export const streamResetReasons = ['unknown_position', 'too_old', 'too_much', 'interrupted'] as const
export type StreamResetReason = (typeof streamResetReasons)[number]

/** Why the server ends a stream. */
export const streamEndReasons = ['credential_ended', 'stopping', 'time_over'] as const
export type StreamEndReason = (typeof streamEndReasons)[number]

/** The words of the filter grammar that fit to one attempt. */
const streamWords = Type.Pick(Type.Object(deliveryFilterParameters), [
  'tenant',
  'event_type',
  'subscription',
  'event',
  'state',
  'failure_code',
  'http_status',
  'trigger',
]).properties

export const StreamQuery = Type.Object(
  {
    ...streamWords,
    max_seconds: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: limits.streamSecondsMax,
        description:
          'End the stream after so long. With 0 and `last-event-id`, what was missed is told and nothing is waited for',
      }),
    ),
  },
  { additionalProperties: false },
)
export type StreamQuery = Static<typeof StreamQuery>

export const StreamHeaders = Type.Object({
  'last-event-id': Type.Optional(
    Type.String({
      description:
        'The last id that the stream gave: of an attempt, or a time. What was recorded since then is told first',
    }),
  ),
})
