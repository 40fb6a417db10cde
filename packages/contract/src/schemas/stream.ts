/**
 * What `GET /v1/stream` tells: one message for each attempt that was recorded, with ids and states and nothing else.
 */
import { type Static, Type } from 'typebox'
import { attemptTriggers, deliveryStates, failureCodes } from '../states.ts'
import { EventTypeName, EventTypePattern } from './event-type.ts'
import { Id } from './id-text.ts'
import { Nullable } from './nullable.ts'
import { named } from './reference.ts'
import { TenantId } from './tenant.ts'
import { Time } from './text.ts'

const filterValuesMax = 50

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
export const streamEndReasons = ['credential_ended', 'stopping'] as const
export type StreamEndReason = (typeof streamEndReasons)[number]

export const StreamQuery = Type.Object(
  {
    tenant: Type.Optional(Type.Array(TenantId(), { maxItems: filterValuesMax, description: 'Only of these tenants' })),
    event_type: Type.Optional(
      Type.Array(EventTypePattern(), {
        maxItems: filterValuesMax,
        description: 'Only these types; `*` stands for one or more segments',
      }),
    ),
    subscription: Type.Optional(Type.Array(Id('subscription'), { maxItems: filterValuesMax })),
    event: Type.Optional(Type.Array(Id('event'), { maxItems: filterValuesMax })),
    state: Type.Optional(
      Type.Array(Type.Enum([...deliveryStates], { type: 'string' }), {
        maxItems: deliveryStates.length,
        description: 'Only attempts that brought their delivery there',
      }),
    ),
    failure_code: Type.Optional(
      Type.Array(Type.Enum([...failureCodes], { type: 'string' }), { maxItems: failureCodes.length }),
    ),
    http_status: Type.Optional(
      Type.Array(Type.String({ pattern: '^[1-9]([0-9]{2}|xx)$', examples: ['503', '5xx'] }), {
        maxItems: filterValuesMax,
      }),
    ),
    trigger: Type.Optional(
      Type.Array(Type.Enum([...attemptTriggers], { type: 'string' }), { maxItems: attemptTriggers.length }),
    ),
  },
  { additionalProperties: false },
)
export type StreamQuery = Static<typeof StreamQuery>

export const StreamHeaders = Type.Object({
  'last-event-id': Type.Optional(
    Type.String({ description: 'The id of the last message that was received: what came behind it is told first' }),
  ),
})
