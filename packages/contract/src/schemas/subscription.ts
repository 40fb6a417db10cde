import { type Static, Type } from 'typebox'
import { limits } from '../limits.ts'
import { disabledReasons, payloadFormats, signatureSchemes, subscriptionStates } from '../states.ts'
import { EventTypeName, EventTypePattern } from './event-type.ts'
import { Id } from './id-text.ts'
import { Nullable } from './nullable.ts'
import { Page, pageParameters } from './page.ts'
import { named, reference } from './reference.ts'
import { GivenAuth, ShownAuth } from './subscription-auth.ts'
import { GivenTls, ShownTls } from './subscription-tls.ts'
import { Contact, contacts, TenantId } from './tenant.ts'
import { Metadata, storablePattern, Text, Texts, Time } from './text.ts'

const filterValuesMax = 50
const secretLengthMax = 128

const url = Type.String({
  minLength: 1,
  // The rules of callback URLs answer for the length, with a code of their own.
  description: `Where events are POSTed: https, a public host, at most ${limits.urlLengthMax} characters`,
  examples: ['https://hooks.acme.example/posthorn'],
})
const eventTypes = Type.Array(EventTypePattern(), {
  minItems: 1,
  maxItems: limits.eventTypesPerSubscriptionMax,
  uniqueItems: true,
  description: 'Event types it wants, by name or with `*` for one or more segments',
  examples: [['invoice.*']],
})
/** Its form is an object; everything else is judged by `parseFilter`, which says more. */
export const filter = Type.Unsafe<Record<string, unknown>>({
  type: 'object',
  additionalProperties: true,
  description: `Which events of these types it wants, by their content: fields (\`type\`, \`keys.<name>\`, \`data.<path>\`) with values or operators. At most ${limits.filterBytesMax} bytes.`,
  examples: [{ 'data.total': { $gte: 100 }, 'data.currency': 'EUR' }],
})
/** Its length is bounded here; whether it is an expression is judged where it is read, with a code of its own. */
export const transform = Type.String({
  minLength: 1,
  maxLength: limits.transformBytesMax,
  pattern: storablePattern,
  description: `A JSONata expression that makes the data that is sent out of \`{id, type, timestamp, keys, data}\`. At most ${limits.transformBytesMax} bytes.`,
  examples: ['{"order": data.id, "total": $sum(data.lines.price)}'],
})
const headersDescription =
  'Headers sent with every request. The values are kept readable. Not those that belong to HTTP or to Posthorn.'
const timeoutMs = Type.Integer({
  minimum: limits.timeoutMsMin,
  maximum: limits.timeoutMsMax,
  description: 'For one attempt, from connecting to the last byte of the answer. 15000 when left out.',
})
const maxInFlight = Type.Integer({
  minimum: 1,
  maximum: limits.maxInFlightMax,
  description: 'Requests at the same time. 10 when left out.',
})
const retryScheduleSeconds = Type.Array(Type.Integer({ minimum: 0, maximum: limits.retryDelaySecondsMax }), {
  minItems: 1,
  maxItems: limits.retryScheduleStepsMax,
  description:
    'Seconds to wait before the second, third … attempt; then the delivery has failed. Null: the default schedule of ten attempts over about three days.',
})

const rateLimitPerSecond = Type.Integer({
  minimum: 1,
  maximum: limits.rateLimitPerSecondMax,
  description: 'Requests a second at the most. Null: no limit. What has to wait takes no attempt.',
})
const ordered = Type.Boolean({
  description:
    'One delivery at a time, in the order of publishing. One that fails is waited for until it is delivered, has failed for good, or is canceled.',
})
const forwardTraceparent = Type.Boolean({
  description:
    'Whether requests carry the `traceparent` that the event was published with. Off when left out: traces of yours are broken for others, and ids of your own would leave the house.',
})
const payloadFormat = Type.Enum([...payloadFormats], {
  type: 'string',
  description:
    'The form of the body: `standard` `{"type","timestamp","data"}`, `cloudevents-structured` and `cloudevents-binary` CloudEvents 1.0, `raw` the data alone. `standard` when left out. All are signed; the `ce-…` headers of the binary form are not part of what is signed.',
})
const finalStatuses = Type.Array(Type.Integer({ minimum: limits.finalStatusMin, maximum: limits.finalStatusMax }), {
  maxItems: limits.finalStatusesMax,
  uniqueItems: true,
  description:
    'HTTP statuses that end a delivery at once, as failed, whatever the schedule still holds. Not 410, which always does and disables the subscription too, and not 429, 502, 503 and 504, which ask for patience. None when left out.',
  examples: [[400, 404, 422]],
})
const SignatureSchemes = () =>
  Type.Array(Type.Enum([...signatureSchemes], { type: 'string' }), {
    uniqueItems: true,
    description:
      'How requests are signed: `v1`, HMAC-SHA256 with the secret, and if wanted `v1a` beside it, Ed25519 with a key pair, made when it is asked for and ended when it is given up. `["v1"]` when left out.',
    examples: [['v1a', 'v1']],
  })

export const Subscription = named(
  'Subscription',
  Type.Object(
    {
      id: Id('subscription'),
      tenant: TenantId(),
      url: Type.String(),
      event_types: Type.Array(Type.String()),
      filter: Nullable(filter),
      transform: Nullable(transform),
      description: Nullable(Type.String()),
      headers: Texts({ description: headersDescription }),
      metadata: Metadata(),
      state: Type.Enum([...subscriptionStates], {
        type: 'string',
        description: '`paused` by a person, `disabled` by Posthorn; deliveries are held meanwhile, never dropped',
      }),
      disabled_reason: Nullable(Type.Enum([...disabledReasons], { type: 'string' })),
      state_changed_at: Time(),
      timeout_ms: Type.Integer(),
      max_in_flight: Type.Integer(),
      retry_schedule_seconds: Nullable(Type.Array(Type.Integer())),
      rate_limit_per_second: Nullable(Type.Integer()),
      ordered: Type.Boolean(),
      forward_traceparent: Type.Boolean(),
      contacts: Type.Array(reference(Contact)),
      payload_format: payloadFormat,
      final_statuses: Type.Array(Type.Integer()),
      auth: Nullable(ShownAuth),
      tls: Nullable(ShownTls),
      signature_schemes: SignatureSchemes(),
      public_key: Nullable(
        Type.String({ description: 'The current public key, `whpk_…`, while it signs by `v1a`; null otherwise' }),
      ),
      not_before: Nullable(
        Time('Nothing is sent before: the receiver asked to slow down, or its secrets could not be opened'),
      ),
      failing_since: Nullable(
        Time('The first failed attempt since the last one that was accepted; null while none has'),
      ),
      breaker_opened_at: Nullable(
        Time('Since when its circuit breaker holds everything back but a probe now and then; null while it is closed'),
      ),
      created_at: Time(),
      updated_at: Time(),
    },
    { description: "A tenant's callback URL and the event types it wants" },
  ),
)
export type Subscription = Static<typeof Subscription>

/** The answer to a create: the only one besides the reveal that shows a secret. */
export const CreatedSubscription = named(
  'CreatedSubscription',
  Type.Object({
    ...Subscription.properties,
    secret: Type.String({ description: 'The signing secret, `whsec_…`. Shown here once.' }),
  }),
)
export type CreatedSubscription = Static<typeof CreatedSubscription>

/** The answer to a change. */
export const ChangedSubscription = named(
  'ChangedSubscription',
  Type.Object({
    ...Subscription.properties,
    waiting: Type.Object(
      {
        count: Type.Integer({ description: `At most ${limits.backlogCountMax}` }),
        has_more: Type.Boolean({ description: 'There are more than were counted' }),
      },
      { description: 'Deliveries that wait or are held already: what was changed applies to them too' },
    ),
  }),
)
export type ChangedSubscription = Static<typeof ChangedSubscription>

export const SubscriptionPage = Page(Subscription)

export const SubscriptionQuery = Type.Object(
  {
    tenant: Type.Optional(
      Type.Array(TenantId(), { maxItems: filterValuesMax, description: 'Only of these tenants. Repeat for several.' }),
    ),
    state: Type.Optional(
      Type.Array(Type.Enum([...subscriptionStates], { type: 'string' }), {
        maxItems: subscriptionStates.length,
        description: 'Only in these states. Repeat for several.',
      }),
    ),
    event_type: Type.Optional(
      Type.Array(EventTypeName(), {
        maxItems: filterValuesMax,
        description: 'Only those that want one of these event types, by its name or by a pattern. Repeat for several.',
      }),
    ),
    ...pageParameters,
  },
  { additionalProperties: false },
)
export type SubscriptionQuery = Static<typeof SubscriptionQuery>

export const CreateSubscription = Type.Object(
  {
    url,
    event_types: eventTypes,
    filter: Type.Optional(Nullable(filter)),
    transform: Type.Optional(Nullable(transform)),
    description: Type.Optional(Nullable(Text({ maxLength: limits.descriptionLengthMax }))),
    headers: Type.Optional(Texts({ description: headersDescription, examples: [{ 'x-source': 'posthorn' }] })),
    metadata: Type.Optional(Metadata()),
    timeout_ms: Type.Optional(timeoutMs),
    max_in_flight: Type.Optional(maxInFlight),
    retry_schedule_seconds: Type.Optional(Nullable(retryScheduleSeconds)),
    rate_limit_per_second: Type.Optional(Nullable(rateLimitPerSecond)),
    ordered: Type.Optional(ordered),
    forward_traceparent: Type.Optional(forwardTraceparent),
    contacts: Type.Optional(contacts),
    payload_format: Type.Optional(payloadFormat),
    final_statuses: Type.Optional(finalStatuses),
    auth: Type.Optional(Nullable(GivenAuth)),
    tls: Type.Optional(Nullable(GivenTls)),
    secret: Type.Optional(
      Type.String({
        maxLength: secretLengthMax,
        description: 'Your own signing secret: `whsec_` and the base64 of 24 to 64 bytes. Generated when left out.',
      }),
    ),
    signature_schemes: Type.Optional(SignatureSchemes()),
  },
  { additionalProperties: false },
)
export type CreateSubscription = Static<typeof CreateSubscription>

/** RFC 7396: what is left out stays, `null` clears. Objects are merged member by member, but a filter is replaced. */
export const PatchSubscription = Type.Object(
  {
    url: Type.Optional(url),
    event_types: Type.Optional(eventTypes),
    filter: Type.Optional(Nullable(filter)),
    transform: Type.Optional(Nullable(transform)),
    description: Type.Optional(Nullable(Text({ maxLength: limits.descriptionLengthMax }))),
    headers: Type.Optional(
      Type.Unsafe<Record<string, string | null> | null>({
        type: ['object', 'null'],
        additionalProperties: { type: ['string', 'null'] },
        description: headersDescription,
      }),
    ),
    metadata: Type.Optional(Nullable(Metadata())),
    timeout_ms: Type.Optional(Nullable(timeoutMs)),
    max_in_flight: Type.Optional(Nullable(maxInFlight)),
    retry_schedule_seconds: Type.Optional(Nullable(retryScheduleSeconds)),
    rate_limit_per_second: Type.Optional(Nullable(rateLimitPerSecond)),
    ordered: Type.Optional(Nullable(ordered)),
    forward_traceparent: Type.Optional(Nullable(forwardTraceparent)),
    contacts: Type.Optional(Nullable(contacts)),
    payload_format: Type.Optional(Nullable(payloadFormat)),
    final_statuses: Type.Optional(Nullable(finalStatuses)),
    auth: Type.Optional(Nullable(GivenAuth)),
    tls: Type.Optional(Nullable(GivenTls)),
    signature_schemes: Type.Optional(Nullable(SignatureSchemes())),
  },
  { additionalProperties: false },
)
export type PatchSubscription = Static<typeof PatchSubscription>

export const ResumeSubscription = Type.Object(
  {
    backfill: Type.Optional(
      Type.Enum(['held', 'none'], {
        type: 'string',
        default: 'held',
        description: '`held`: what was kept meanwhile is sent. `none`: it is canceled.',
      }),
    ),
  },
  { additionalProperties: false },
)
export type ResumeSubscription = Static<typeof ResumeSubscription>
