import { type Static, Type } from 'typebox'
import { limits } from '../limits.ts'
import { businessKeyNamePattern } from './business-key.ts'
import { EventTypeName } from './event-type.ts'
import { Id } from './id-text.ts'
import { GivenTime } from './moment.ts'
import { ProblemSchema } from './problem.ts'
import { named, reference } from './reference.ts'
import { TenantId } from './tenant.ts'
import { storablePattern, Text, Texts } from './text.ts'

const publishIdLengthMax = 256

export const businessKeys = Type.Unsafe<Record<string, string>>({
  type: 'object',
  maxProperties: limits.businessKeysMax,
  propertyNames: { pattern: businessKeyNamePattern },
  additionalProperties: {
    type: 'string',
    minLength: 1,
    maxLength: limits.businessKeyValueLengthMax,
    pattern: storablePattern,
  },
  description: 'Business keys to find it by',
  examples: [{ order: 'ord_42' }],
})

export const PublishEvent = named(
  'PublishEvent',
  Type.Object(
    {
      tenant: TenantId({ description: 'The customer it happened to' }),
      type: EventTypeName(),
      data: Type.Unknown({
        description: 'Any JSON, at most 256 KiB. Its bytes are kept and sent as they are.',
        examples: [{ invoice: 'in_1', total: 1200 }],
      }),
      id: Type.Optional(
        Text({
          minLength: 1,
          maxLength: publishIdLengthMax,
          description: 'Your own id. Publishing it again for the same tenant answers 200 and sends nothing twice.',
        }),
      ),
      timestamp: Type.Optional(GivenTime('When it happened. Now when left out.')),
      keys: Type.Optional(businessKeys),
      headers: Type.Optional(
        Texts({
          description: `Headers sent with every delivery of this event, beside those of the subscription, which go first. At most ${limits.customHeadersMax}. Not those that belong to HTTP or to Posthorn.`,
          examples: [{ 'x-region': 'eu' }],
        }),
      ),
      subscriptions: Type.Optional(
        Type.Array(Id('subscription'), {
          maxItems: limits.subscriptionsPerTenantMax,
          description: "Only these of the tenant's subscriptions, and only if they want the event",
        }),
      ),
    },
    { additionalProperties: false },
  ),
)
export type PublishEvent = Static<typeof PublishEvent>

export const PublishedEvent = named(
  'PublishedEvent',
  Type.Object(
    {
      id: Id('event'),
      duplicate: Type.Boolean({ description: 'It had been published before under the same `id`' }),
      deliveries: Type.Array(Type.Object({ id: Id('delivery'), subscription_id: Id('subscription') })),
    },
    { description: 'Stored. Each delivery is made whatever happens.' },
  ),
)
export type PublishedEvent = Static<typeof PublishedEvent>

/** The events are judged one by one, so that a bad one does not fail the others. */
export const PublishEvents = Type.Object(
  {
    events: Type.Array(Type.Unsafe<unknown>({ description: 'As the body of `POST /v1/events`' }), {
      minItems: 1,
      maxItems: limits.batchEventsMax,
    }),
  },
  { additionalProperties: false },
)
export type PublishEvents = Static<typeof PublishEvents>

export const PublishResult = named(
  'PublishResult',
  Type.Object(
    {
      status: Type.Integer({ description: 'As `POST /v1/events` would have answered', examples: [202] }),
      event: Type.Optional(reference(PublishedEvent)),
      problem: Type.Optional(reference(ProblemSchema)),
    },
    { description: 'What became of one event of a batch: an `event` or a `problem`' },
  ),
)
export type PublishResult = Static<typeof PublishResult>

export const PublishResults = named(
  'PublishResults',
  Type.Object({ results: Type.Array(reference(PublishResult), { description: 'In the order of the request' }) }),
)
export type PublishResults = Static<typeof PublishResults>
