import { type Static, Type } from 'typebox'
import { limits } from '../limits.ts'
import {
  deliveryStates,
  failureCodes,
  replayChoices,
  replayOutcomes,
  replaySkipReasons,
  replayStates,
} from '../states.ts'
import { EventTypeName } from './event-type.ts'
import { Id } from './id-text.ts'
import { ListFilter } from './list-filter.ts'
import { Nullable } from './nullable.ts'
import { Page, pageParameters } from './page.ts'
import { named, reference } from './reference.ts'
import { TenantId } from './tenant.ts'
import { Text, Time } from './text.ts'

const count = (description?: string) =>
  Type.Integer({ minimum: 0, ...(description === undefined ? {} : { description }) })
const failureCode = (description: string) => Nullable(Type.Enum([...failureCodes], { type: 'string', description }))
const skipReason = () => Type.Enum([...replaySkipReasons], { type: 'string' })

const rate = Type.Integer({
  minimum: 1,
  maximum: limits.replayRatePerSecondMax,
  description: 'Deliveries a second at the most, over all subscriptions',
})
const note = Text({
  maxLength: limits.descriptionLengthMax,
  description: 'Why. Stands beside the replay and every attempt that it makes.',
  examples: ['acme fixed their certificate, ticket 4711'],
})

export const CreateReplay = named(
  'CreateReplay',
  Type.Object(
    {
      filter: reference(ListFilter),
      only: Type.Optional(
        Type.Enum([...replayChoices], {
          type: 'string',
          default: 'failed',
          description:
            'Which of the deliveries that the filter finds: those that failed, or all that have ended, the accepted and canceled ones too',
        }),
      ),
      rate_per_second: Type.Optional(rate),
      note: Type.Optional(note),
      target_url: Type.Optional(
        Type.String({
          maxLength: limits.urlLengthMax,
          examples: ['https://staging.acme.example/hooks'],
          description:
            'Send to this URL instead, and leave deliveries and subscriptions as they are. Signed by a secret of its own, without custom headers of subscriptions, and without credentials.',
        }),
      ),
    },
    {
      additionalProperties: false,
      examples: [{ filter: { tenant: 'acme', event_type: 'order.*', since: '24h' }, rate_per_second: 20 }],
    },
  ),
)
export type CreateReplay = Static<typeof CreateReplay>

export const PatchReplay = Type.Object(
  { rate_per_second: Type.Optional(Nullable(rate)), note: Type.Optional(Nullable(note)) },
  { additionalProperties: false },
)
export type PatchReplay = Static<typeof PatchReplay>

export const Replay = named(
  'Replay',
  Type.Object(
    {
      id: Id('replay', { description: 'The header `posthorn-replay` of every request that it makes' }),
      tenant: Nullable(TenantId({ description: "The tenant whose key made it; null for the operator's" })),
      state: Type.Enum([...replayStates], { type: 'string' }),
      filter: reference(ListFilter),
      only: Type.Enum([...replayChoices], { type: 'string' }),
      since: Nullable(Time('The oldest time of its deliveries, fixed when it was drafted')),
      until: Time('They were made before this time, at the latest when it was drafted'),
      rate_per_second: Nullable(rate),
      note: Nullable(note),
      target_url: Nullable(Type.String({ description: 'Where it goes instead' })),
      actor: Type.String({ description: 'Who drafted it' }),
      created_at: Time(),
      expires_at: Nullable(Time('When a draft that nobody runs expires; null for what is no draft any more')),
      started_at: Nullable(Time()),
      finished_at: Nullable(Time()),
      preview: Type.Object(
        {
          count: count('Deliveries that are sent'),
          tenant_count: count('How many tenants they are of'),
          subscription_count: count(),
          by_subscription: Type.Array(
            Type.Object({ subscription_id: Id('subscription'), tenant: TenantId(), count: count() }),
            {
              description: `Those with the most, ${limits.replaySubscriptionsShownMax} at the most`,
            },
          ),
          by_cause: Type.Array(
            Type.Object({
              failure_code: failureCode('How they had failed last; null where they had not'),
              count: count(),
            }),
          ),
          left_out: Type.Array(Type.Object({ reason: skipReason(), count: count() }), {
            description: 'What the filter finds and the replay does not send',
          }),
          left_out_has_more: Type.Boolean({
            description: `There is more than ${limits.replayLeftOutCountMax}, which is not counted further`,
          }),
          estimated_seconds: Nullable(
            count('What its rate and those of its subscriptions allow at the best; null when there are none'),
          ),
        },
        { description: 'What was counted when it was drafted, and will not change' },
      ),
      progress: Type.Object(
        {
          waiting: count(),
          under_way: count('Due or in flight'),
          delivered: count(),
          failed: count(),
          skipped: count('Not sent, because of what had happened to the delivery or its subscription'),
          canceled: count(),
          by_cause: Type.Array(Type.Object({ failure_code: failureCode('Why they failed again'), count: count() })),
          by_skip_reason: Type.Array(Type.Object({ reason: skipReason(), count: count() })),
        },
        { description: 'How many of its deliveries have come how far' },
      ),
    },
    { description: 'Many resends chosen by a filter' },
  ),
)
export type Replay = Static<typeof Replay>

/** The answer to a draft. */
export const CreatedReplay = named(
  'CreatedReplay',
  Type.Object({
    ...Replay.properties,
    target_secret: Nullable(
      Type.String({ description: 'With a `target_url`: the secret that its requests are signed by. Shown here once.' }),
    ),
  }),
)
export type CreatedReplay = Static<typeof CreatedReplay>

export const ReplayPage = Page(Replay)

export const ReplayQuery = Type.Object(
  {
    tenant: Type.Optional(
      Type.Array(TenantId(), {
        maxItems: limits.listFilterValuesMax,
        description:
          'Only those that a key of one of these tenants has made, or whose filter names one. Repeat for several.',
      }),
    ),
    state: Type.Optional(
      Type.Array(Type.Enum([...replayStates], { type: 'string' }), { maxItems: replayStates.length }),
    ),
    ...pageParameters,
  },
  { additionalProperties: false },
)
export type ReplayQuery = Static<typeof ReplayQuery>

export const ReplayItem = named(
  'ReplayItem',
  Type.Object(
    {
      delivery_id: Id('delivery'),
      tenant: TenantId(),
      subscription_id: Id('subscription'),
      event_id: Nullable(Id('event', { description: 'Null when the delivery is no longer kept' })),
      event_type: Nullable(EventTypeName()),
      delivery_state: Nullable(
        Type.Enum([...deliveryStates], { type: 'string', description: 'The state that the delivery is in now' }),
      ),
      outcome: Type.Enum([...replayOutcomes], { type: 'string' }),
      skip_reason: Nullable(skipReason()),
      attempt_id: Nullable(Id('attempt')),
      failure_code: failureCode('Why it failed again'),
      http_status: Nullable(Type.Integer()),
      started_at: Nullable(Time()),
      finished_at: Nullable(Time()),
    },
    { description: 'A delivery that a replay sends once more, and what came of it' },
  ),
)
export type ReplayItem = Static<typeof ReplayItem>

export const ReplayItemPage = Page(ReplayItem)

export const ReplayItemQuery = Type.Object(
  {
    outcome: Type.Optional(
      Type.Array(Type.Enum([...replayOutcomes], { type: 'string' }), { maxItems: replayOutcomes.length }),
    ),
    ...pageParameters,
  },
  { additionalProperties: false },
)
export type ReplayItemQuery = Static<typeof ReplayItemQuery>
