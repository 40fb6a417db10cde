import { type Static, Type } from 'typebox'
import { ProblemPlace } from '../problems.ts'
import { EventTypeName } from './event-type.ts'
import { Id } from './id-text.ts'
import { businessKeyParameters, eventFilterParameters } from './list-filter.ts'
import { Nullable } from './nullable.ts'
import { CountedPage, countParameter, pageParameters } from './page.ts'
import { named } from './reference.ts'
import { TenantId } from './tenant.ts'
import { Texts, Time } from './text.ts'

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
      erased_at: Nullable(Time('When what it held was taken away: an erasure, or the retention of its tenant')),
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
    headers: Texts({
      description:
        'Headers that its deliveries carry. Redacted for readers who may not see payloads, and those that sound like credentials for readers who may not see secrets',
    }),
    data: Type.Optional(Type.Unknown({ description: "The publisher's bytes, unchanged" })),
    data_redacted: Type.Optional(
      Type.Boolean({ description: 'True in place of `data` for keys that may not see payloads' }),
    ),
  }),
)
export type Event = Static<typeof Event>

export const EventSummaryPage = CountedPage(EventSummary)

export const EventQuery = Type.Object(
  { ...eventFilterParameters, ...pageParameters, ...countParameter },
  businessKeyParameters,
)
export type EventQuery = Static<typeof EventQuery>
