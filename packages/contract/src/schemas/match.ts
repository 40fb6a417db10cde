/** Which subscriptions an event goes to, and why not to the others. */
import { type Static, Type } from 'typebox'
import { limits } from '../limits.ts'
import { ProblemPlace } from '../problems.ts'
import { filterOperators, matchReasons, subscriptionStates } from '../states.ts'
import { EventTypeName } from './event-type.ts'
import { Id } from './id-text.ts'
import { GivenTime } from './moment.ts'
import { Nullable } from './nullable.ts'
import { businessKeys } from './publish.ts'
import { named, reference } from './reference.ts'
import { filter, transform } from './subscription.ts'
import { Texts } from './text.ts'

export const FailedClauseSchema = named(
  'FailedClause',
  Type.Object(
    {
      pointer: Type.String({
        description: 'Where it stands in the filter, as a JSON Pointer',
        examples: ['/data.total/$gt'],
      }),
      detail: Type.String({ examples: ['data.total is not greater than 100'] }),
      found: Nullable(
        Type.String({
          description:
            'What the event holds there, shortened. Null for nothing, and for keys that may not see payloads.',
        }),
      ),
    },
    { description: `The clause of a filter that an event does not fulfil. Operators: ${filterOperators.join(', ')}` },
  ),
)
const verdict = {
  matched: Type.Boolean(),
  failed_clause: Nullable(reference(FailedClauseSchema)),
  filter_unfinished: Type.Boolean({
    description: 'Judging the filter took too many steps, so the event is delivered as if it matched',
  }),
}

const subscriptionState = Type.Enum([...subscriptionStates], { type: 'string' })

function reason(description: string) {
  return Nullable(Type.Enum([...matchReasons], { type: 'string', description }))
}

export const EventMatch = named(
  'EventMatch',
  Type.Object(
    {
      subscription_id: Id('subscription'),
      state: subscriptionState,
      ...verdict,
      reason: reason('Why nothing is sent to it, or not now; null when something is or was'),
      delivery_id: Nullable(
        Id('delivery', { description: 'The delivery that was made, whatever the settings say now' }),
      ),
    },
    { description: "One subscription and one event, judged by the subscription's settings of today" },
  ),
)
export type EventMatch = Static<typeof EventMatch>

export const EventMatches = named(
  'EventMatches',
  Type.Object({
    data: Type.Array(reference(EventMatch), {
      description: 'Every subscription of the tenant, and deleted ones that got the event; the oldest first',
    }),
  }),
)
export type EventMatches = Static<typeof EventMatches>

export const TransformFailure = named(
  'TransformFailure',
  Type.Object(
    {
      detail: Type.String({ examples: ['The result is nothing.'] }),
      position: Nullable(
        Type.Integer({ minimum: 0, description: 'About where in the transform, in characters; null when not known' }),
      ),
    },
    { description: 'Why a transform makes nothing of an event: the attempt would fail with `transform_failed`' },
  ),
)

function shownRequest(description: string) {
  return Type.Object(
    {
      method: Type.String(),
      url: Type.String(),
      headers: Texts({
        description:
          'Without `webhook-id`, `webhook-timestamp` and `webhook-signature`: only what is stored is signed, and at the time of sending. Credentials are redacted.',
      }),
      body: Nullable(
        Type.String({
          description: `The exact body, but that the CloudEvent of an event that is not stored has an id made up here and, without \`timestamp\`, the time is now; null when the bodies before it are ${limits.dryRunBodiesBytesMax} bytes already`,
        }),
      ),
      body_bytes: Type.Integer(),
    },
    { description },
  )
}

export const DryRunMatch = named(
  'DryRunMatch',
  Type.Object({
    subscription_id: Id('subscription'),
    state: subscriptionState,
    ...verdict,
    reason: reason('Why nothing would be sent, or not now'),
    request: Nullable(shownRequest('The first request; null when nothing would be sent')),
    transform_failure: Nullable(reference(TransformFailure)),
  }),
)
export type DryRunMatch = Static<typeof DryRunMatch>

export const DryRun = named(
  'DryRun',
  Type.Object(
    {
      dry_run: Type.Literal(true),
      duplicate: Type.Boolean({ description: 'Published before under the same `id`: nothing would be sent' }),
      validation_errors: Type.Array(ProblemPlace, {
        description: 'What does not fit, where the event type only warns',
      }),
      data: Type.Array(reference(DryRunMatch), { description: 'Every subscription of the tenant, the oldest first' }),
    },
    { description: 'What publishing would do. Nothing was stored.' },
  ),
)
export type DryRun = Static<typeof DryRun>

/** What a transform is tried on: an event that was published, or one that nobody has. */
export const PreviewTransform = Type.Object(
  {
    transform: Type.Optional(
      Nullable(Type.String({ ...transform, description: "In place of the subscription's own; null tries none" })),
    ),
    event_id: Type.Optional(Id('event', { description: 'An event of the same tenant, in place of the other members' })),
    type: Type.Optional(EventTypeName()),
    data: Type.Optional(
      Type.Unknown({ description: 'Any JSON, as it would be published', examples: [{ total: 1200 }] }),
    ),
    keys: Type.Optional(businessKeys),
    timestamp: Type.Optional(GivenTime('Now when left out')),
  },
  { additionalProperties: false },
)
export type PreviewTransform = Static<typeof PreviewTransform>

export const TransformPreview = named(
  'TransformPreview',
  Type.Object(
    {
      request: Nullable(shownRequest('What would be sent; null when the transform fails')),
      transform_failure: Nullable(reference(TransformFailure)),
    },
    { description: 'What a subscription would be sent of an event. Nothing was sent.' },
  ),
)
export type TransformPreview = Static<typeof TransformPreview>

export const PublishQuery = Type.Object(
  {
    dry_run: Type.Optional(
      Type.Enum(['0', '1'], {
        type: 'string',
        description: '1: say what would be sent to whom, and store nothing. For keys that may read subscriptions.',
      }),
    ),
  },
  { additionalProperties: false },
)

/** An event that nobody has published, to be held to a filter. */
export const CheckFilter = Type.Object(
  {
    type: EventTypeName(),
    data: Type.Unknown({ description: 'Any JSON, as it would be published', examples: [{ total: 1200 }] }),
    keys: Type.Optional(businessKeys),
    filter: Type.Optional(Nullable(filter)),
  },
  { additionalProperties: false },
)
export type CheckFilter = Static<typeof CheckFilter>

export const FilterCheck = named(
  'FilterCheck',
  Type.Object(
    { ...verdict, reason: reason('`event_type` or `filter`; null when it matches') },
    { description: 'What a subscription says about an event' },
  ),
)
export type FilterCheck = Static<typeof FilterCheck>
