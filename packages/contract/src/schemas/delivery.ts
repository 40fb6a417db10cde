import { type Static, Type } from 'typebox'
import { form } from '../forms.ts'
import { limits } from '../limits.ts'
import { canceledReasons, deliveryStates, failureCodes } from '../states.ts'
import { Attempt } from './attempt.ts'
import { Event } from './event.ts'
import { EventTypeName } from './event-type.ts'
import { Id } from './id-text.ts'
import { businessKeyParameters, deliveryFilterParameters } from './list-filter.ts'
import { Nullable } from './nullable.ts'
import { CountedPage, countParameter, pageParameters } from './page.ts'
import { named, reference } from './reference.ts'
import { Subscription } from './subscription.ts'
import { TenantId } from './tenant.ts'
import { Text, Time } from './text.ts'

/** What `expand` may name. */
export const deliveryExpansions = ['event', 'subscription', 'attempts'] as const
export type DeliveryExpansion = (typeof deliveryExpansions)[number]

export const Delivery = named(
  'Delivery',
  Type.Object(
    {
      id: Id('delivery'),
      tenant: TenantId(),
      event_id: Id('event'),
      event_type: EventTypeName(),
      subscription_id: Id('subscription'),
      state: Type.Enum([...deliveryStates], { type: 'string' }),
      in_flight: Type.Boolean({ description: 'An attempt is under way' }),
      attempt_count: Type.Integer(),
      next_attempt_at: Nullable(Time('Null while an attempt is in flight and when none will follow')),
      last_failure_code: Nullable(Type.Enum([...failureCodes], { type: 'string' })),
      last_http_status: Nullable(Type.Integer()),
      created_at: Time(),
      delivered_at: Nullable(Time('The first 2xx')),
      finished_at: Nullable(Time()),
      erased_at: Nullable(Time('When what its event held was taken away; it cannot be resent any more')),
      canceled_reason: Nullable(
        Type.Enum([...canceledReasons], { type: 'string', description: 'Why it is `canceled`; null otherwise' }),
      ),
    },
    { description: 'The duty to bring one event to one subscription' },
  ),
)
export type Delivery = Static<typeof Delivery>

/** With what `expand` asked for. */
export const ExpandedDelivery = named(
  'ExpandedDelivery',
  Type.Object({
    ...Delivery.properties,
    event: Type.Optional(reference(Event)),
    subscription: Type.Optional(Nullable(reference(Subscription))),
    attempts: Type.Optional(Type.Array(reference(Attempt), { description: 'The newest ones, newest first' })),
  }),
)
export type ExpandedDelivery = Static<typeof ExpandedDelivery>

export const DeliveryPage = CountedPage(Delivery)

export const DeliveryQuery = Type.Object(
  { ...deliveryFilterParameters, ...pageParameters, ...countParameter },
  businessKeyParameters,
)
export type DeliveryQuery = Static<typeof DeliveryQuery>

const expansion = `(${deliveryExpansions.join('|')})`

export const DeliveryExpandQuery = Type.Object(
  {
    expand: Type.Optional(
      Type.String({
        pattern: form(
          `^${expansion}(,${expansion}){0,9}$`,
          `must be one or more of these, with commas between: ${deliveryExpansions.join(', ')}`,
        ),
        description: `What to put beside the delivery, separated by commas: ${deliveryExpansions.join(', ')}`,
        examples: ['event,attempts'],
      }),
    ),
  },
  { additionalProperties: false },
)
export type DeliveryExpandQuery = Static<typeof DeliveryExpandQuery>

export const ResendDelivery = Type.Object(
  { reason: Type.Optional(Text({ maxLength: limits.descriptionLengthMax, description: 'Kept with the attempt' })) },
  { additionalProperties: false },
)
export type ResendDelivery = Static<typeof ResendDelivery>
