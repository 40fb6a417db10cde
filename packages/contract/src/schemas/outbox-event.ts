import { type Static, Type } from 'typebox'
import { ProblemPlace } from '../problems.ts'
import { outboxEventStates } from '../states.ts'
import { EventTypeName } from './event-type.ts'
import { Id } from './id-text.ts'
import { Nullable } from './nullable.ts'
import { Page, pageParameters } from './page.ts'
import { businessKeys } from './publish.ts'
import { named } from './reference.ts'
import { TenantId } from './tenant.ts'
import { Texts, Time } from './text.ts'

const tenantsMax = 50

export const OutboxEvent = named(
  'OutboxEvent',
  Type.Object(
    {
      id: Id('outbox_event'),
      state: Type.Enum([...outboxEventStates], { type: 'string' }),
      tenant: TenantId(),
      type: EventTypeName(),
      publish_id: Type.String({ description: 'The `id` under which it is published, the same however often it is' }),
      keys: businessKeys,
      timestamp: Time(),
      written_at: Time(),
      refused_at: Nullable(Time()),
      problem: Nullable(
        Type.Object(
          { code: Type.String(), detail: Type.String(), errors: Type.Array(ProblemPlace) },
          { description: 'Why it can never be published as it is: what `POST /v1/events` would have answered' },
        ),
      ),
    },
    { description: 'An event that a backend wrote in a transaction of its own, and that is not published yet' },
  ),
)
export type OutboxEvent = Static<typeof OutboxEvent>

export const OutboxEventContent = named(
  'OutboxEventContent',
  Type.Object({
    ...OutboxEvent.properties,
    headers: Texts({
      description:
        'Headers that its deliveries are to carry. Redacted for readers who may not see payloads, and those that sound like credentials for readers who may not see secrets',
    }),
    data: Type.Optional(Type.Unknown({ description: "The writer's bytes, unchanged" })),
    data_redacted: Type.Optional(
      Type.Boolean({ description: 'True in place of `data` for keys that may not see payloads' }),
    ),
  }),
)
export type OutboxEventContent = Static<typeof OutboxEventContent>

export const OutboxEventPage = Page(OutboxEvent)

export const OutboxEventQuery = Type.Object(
  {
    tenant: Type.Optional(
      Type.Array(TenantId(), { maxItems: tenantsMax, description: 'Only of these tenants. Repeat for several.' }),
    ),
    state: Type.Optional(Type.Enum([...outboxEventStates], { type: 'string', default: 'refused' })),
    ...pageParameters,
  },
  { additionalProperties: false },
)
export type OutboxEventQuery = Static<typeof OutboxEventQuery>
