import { type Static, Type } from 'typebox'
import { ProblemPlace } from '../problems.ts'
import { EventTypeName, EventTypePattern } from './event-type.ts'
import { Id } from './id-text.ts'
import { Moment } from './moment.ts'
import { Nullable } from './nullable.ts'
import { Page, pageParameters } from './page.ts'
import { named } from './reference.ts'
import { TenantId } from './tenant.ts'
import { Texts, Time } from './text.ts'

const filterValuesMax = 50

/** An event as lists show it: without its data. */
export const EventSummary = named(
  'EventSummary',
  Type.Object(
    {
      id: Id('event', { description: 'The header `webhook-id` of every attempt' }),
      tenant: TenantId(),
      type: EventTypeName(),
      timestamp: Time('When it happened, as the publisher says'),
      keys: Texts({ description: 'Business keys it can be found by' }),
      publish_id: Nullable(Type.String({ description: "The publisher's own id" })),
      traceparent: Nullable(Type.String()),
      schema_version: Nullable(Type.Integer({ description: 'The schema that `data` was held to' })),
      validation_errors: Nullable(
        Type.Array(ProblemPlace, {
          description:
            'What did not fit, where the event type only warns; redacted for readers who may not see payloads',
        }),
      ),
      created_at: Time('When it was published'),
    },
    { description: 'One thing that happened, published for one tenant. Never changes.' },
  ),
)
export type EventSummary = Static<typeof EventSummary>

export const Event = named(
  'Event',
  Type.Object({
    ...EventSummary.properties,
    data: Type.Optional(Type.Unknown({ description: "The publisher's bytes, unchanged" })),
    data_redacted: Type.Optional(
      Type.Boolean({ description: 'True in place of `data` for keys that may not see payloads' }),
    ),
  }),
)
export type Event = Static<typeof Event>

export const EventSummaryPage = Page(EventSummary)

/** The filters that events and deliveries have in common. */
export const commonFilters = {
  tenant: Type.Optional(
    Type.Array(TenantId(), { maxItems: filterValuesMax, description: 'Only of these tenants. Repeat for several.' }),
  ),
  event_type: Type.Optional(
    Type.Array(EventTypePattern(), {
      maxItems: filterValuesMax,
      description: 'Only these types; `*` stands for one or more segments. Repeat for several.',
    }),
  ),
  since: Type.Optional(Moment('Not older: RFC 3339, or how long ago')),
  until: Type.Optional(Moment('Older than this: RFC 3339, or how long ago')),
}

export const EventQuery = Type.Object({ ...commonFilters, ...pageParameters }, { additionalProperties: false })
export type EventQuery = Static<typeof EventQuery>
