/**
 * What Posthorn publishes by itself for the operator's own tenant: the `data` of each system event. The schemas are
 * registered as versions of the event types, so that they are documented like everybody's.
 */
import { type Static, type TObject, Type } from 'typebox'
import { disabledReasons, failureCodes, type SystemEventType } from '../states.ts'
import { EventTypeName } from './event-type.ts'
import { Id } from './id-text.ts'
import { Nullable } from './nullable.ts'
import { TenantId } from './tenant.ts'
import { Time } from './text.ts'

const about = {
  tenant: TenantId({ description: 'Whose subscription it is' }),
  subscription_id: Id('subscription'),
  url: Nullable(Type.String({ description: 'Its callback URL when this was published; null when its tenant is gone' })),
}
const failingSince = Time('Since when nothing was accepted')

const SubscriptionFailing = Type.Object({
  ...about,
  failing_since: failingSince,
  percent: Type.Integer({ description: 'The part of the time until it is disabled that is over' }),
  disable_at: Time('When it will be disabled if nothing is accepted until then'),
})
const SubscriptionDisabled = Type.Object({
  ...about,
  reason: Type.Enum([...disabledReasons], { type: 'string' }),
  failing_since: Nullable(failingSince),
  disabled_at: Time(),
})
const SubscriptionRecovered = Type.Object({
  ...about,
  failing_since: Nullable(Time('Since when it had failed; null when it was resumed meanwhile')),
  recovered_at: Time('When an event was accepted again'),
})
const DeliveryExhausted = Type.Object({
  ...about,
  delivery_id: Id('delivery'),
  event_id: Id('event'),
  event_type: Nullable(EventTypeName()),
  attempt_count: Type.Integer(),
  last_failure_code: Type.Enum([...failureCodes], { type: 'string' }),
  last_http_status: Nullable(Type.Integer()),
  failed_at: Time(),
})

export type SystemEventData = {
  'posthorn.subscription.failing': Static<typeof SubscriptionFailing>
  'posthorn.subscription.disabled': Static<typeof SubscriptionDisabled>
  'posthorn.subscription.recovered': Static<typeof SubscriptionRecovered>
  'posthorn.delivery.exhausted': Static<typeof DeliveryExhausted>
}

const example = {
  tenant: 'acme',
  subscription_id: 'sub_01karfmq1yfcesmh0cdwq8tprq',
  url: 'https://hooks.acme.example/posthorn',
  failing_since: '2026-11-20T09:00:00.000Z',
}

/** What is known of each: a sentence, the schema of its `data` and an example. */
export const systemEvents: {
  readonly [Type in SystemEventType]: {
    readonly description: string
    readonly schema: TObject
    readonly example: SystemEventData[Type]
  }
} = {
  'posthorn.subscription.failing': {
    description:
      'Nothing was accepted by a subscription for half, or for nine tenths, of the time until it is disabled',
    schema: SubscriptionFailing,
    example: { ...example, percent: 50, disable_at: '2026-11-25T09:00:00.000Z' },
  },
  'posthorn.subscription.disabled': {
    description: 'A subscription was disabled. Its deliveries are held until somebody resumes it.',
    schema: SubscriptionDisabled,
    example: { ...example, reason: 'failing_too_long', disabled_at: '2026-11-25T09:00:12.000Z' },
  },
  'posthorn.subscription.recovered': {
    description: 'A subscription that was said to fail, or was disabled and resumed, has accepted an event again',
    schema: SubscriptionRecovered,
    example: { ...example, recovered_at: '2026-11-24T10:30:00.000Z' },
  },
  'posthorn.delivery.exhausted': {
    description: 'A delivery has failed for good: its schedule is exhausted, or the answer was final',
    schema: DeliveryExhausted,
    example: {
      tenant: example.tenant,
      subscription_id: example.subscription_id,
      url: example.url,
      delivery_id: 'dlv_01karfmq1yfcesmh0cdwq8tprq',
      event_id: 'evt_01karfmq1yfcesmh0cdwq8tprq',
      event_type: 'invoice.paid',
      attempt_count: 10,
      last_failure_code: 'http_5xx',
      last_http_status: 503,
      failed_at: '2026-11-24T10:30:00.000Z',
    },
  },
}
