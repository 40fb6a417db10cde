/**
 * The one filter grammar: which deliveries or events. The same words in list URLs, in the bodies of replays, in metrics
 * and in the stream. A word with several values lets each of them pass; several words all have to fit.
 *
 * It has two forms: query parameters, of which each may be repeated, and a JSON object, whose values are a text or a list
 * of texts. Business keys are words of their own: `key.<name>`.
 */
import { type Static, type TSchema, Type } from 'typebox'
import { form } from '../forms.ts'
import { limits } from '../limits.ts'
import { attemptTriggers, deliveryStates, failureCodes } from '../states.ts'
import { EventTypePattern } from './event-type.ts'
import { Id } from './id-text.ts'
import { Moment } from './moment.ts'
import { named } from './reference.ts'
import { TenantId } from './tenant.ts'
import { storablePattern } from './text.ts'

const maxItems = limits.listFilterValuesMax

/** `503`, or `5xx` for the whole class. */
const httpStatusPattern = form(
  '^[1-9]([0-9]{2}|xx)$',
  'must be an HTTP status such as 503, or 5xx for all of its class',
)
/** The words for business keys: `key.order`. What follows `key.` is what publishers may name a key. */
const keyWordPattern = `^key\\.[A-Za-z0-9_.-]{1,${limits.businessKeyLengthMax}}$`

const keyValue = Type.String({
  minLength: 1,
  maxLength: limits.businessKeyValueLengthMax,
  pattern: storablePattern,
})

/** The words that events have too. */
const eventWords = {
  tenant: TenantId({ description: 'Only of these tenants' }),
  event_type: EventTypePattern({ description: 'Only these types; `*` stands for one or more segments' }),
}

/** Every word but times and business keys, with the form of one value. */
const deliveryWords = {
  ...eventWords,
  subscription: Id('subscription', { description: 'Only to these subscriptions' }),
  event: Id('event', { description: 'Only of these events' }),
  state: Type.Enum([...deliveryStates], { type: 'string', description: 'Only in these states' }),
  failure_code: Type.Enum([...failureCodes], {
    type: 'string',
    description: 'Only those whose last attempt failed for one of these reasons',
  }),
  http_status: Type.String({
    pattern: httpStatusPattern,
    examples: ['503', '5xx'],
    description: 'Only those whose last attempt was answered so: a status, or a class of them',
  }),
  trigger: Type.Enum([...attemptTriggers], {
    type: 'string',
    description: 'Only those that have an attempt made for one of these reasons',
  }),
  replay: Id('replay', { description: 'Only those that are part of one of these replays' }),
}

const timeWords = {
  since: Type.Optional(Moment('Made at this time or later: RFC 3339, a date (midnight UTC), or how long ago')),
  until: Type.Optional(Moment('Made before this time: RFC 3339, a date (midnight UTC), or how long ago')),
}

/** A word with as many values, in the query: the parameter is repeated. */
function Repeated<T extends TSchema>(schema: T) {
  const description = 'description' in schema ? `${schema.description}. Repeat it for several.` : undefined
  return Type.Optional(Type.Array(schema, { maxItems, ...(description === undefined ? {} : { description }) }))
}

/** A word with as many values, in a body. */
function OneOrMore<T extends TSchema>(schema: T) {
  return Type.Optional(Type.Union([schema, Type.Array(schema, { minItems: 1, maxItems })]))
}

/** The words that lists of events take as query parameters. */
export const eventFilterParameters = {
  tenant: Repeated(eventWords.tenant),
  event_type: Repeated(eventWords.event_type),
  ...timeWords,
}

/** The words that lists of deliveries take, and whatever else is about deliveries. */
export const deliveryFilterParameters = {
  ...eventFilterParameters,
  subscription: Repeated(deliveryWords.subscription),
  event: Repeated(deliveryWords.event),
  state: Repeated(deliveryWords.state),
  failure_code: Repeated(deliveryWords.failure_code),
  http_status: Repeated(deliveryWords.http_status),
  trigger: Repeated(deliveryWords.trigger),
  replay: Repeated(deliveryWords.replay),
}

/** Options of a query's schema that takes business keys, beside its parameters. */
export const businessKeyParameters = {
  additionalProperties: false,
  patternProperties: { [keyWordPattern]: Type.Array(keyValue, { maxItems }) },
}

/** How the words for business keys are shown to readers of the OpenAPI document. */
export const businessKeyParameter = {
  name: 'key.*',
  schema: {
    type: 'object',
    additionalProperties: { type: 'string', minLength: 1, maxLength: limits.businessKeyValueLengthMax },
    description:
      'Only of events with this business key: `key.<name>=<value>`, such as `key.order=ord_42`. Repeat it for several.',
    examples: [{ 'key.order': 'ord_42' }],
    style: 'form',
    explode: true,
  },
} as const

/** The body form. */
export const ListFilter = named(
  'ListFilter',
  Type.Object(
    {
      tenant: OneOrMore(deliveryWords.tenant),
      subscription: OneOrMore(deliveryWords.subscription),
      event_type: OneOrMore(deliveryWords.event_type),
      event: OneOrMore(deliveryWords.event),
      state: OneOrMore(deliveryWords.state),
      failure_code: OneOrMore(deliveryWords.failure_code),
      http_status: OneOrMore(deliveryWords.http_status),
      trigger: OneOrMore(deliveryWords.trigger),
      replay: OneOrMore(deliveryWords.replay),
      ...timeWords,
    },
    {
      additionalProperties: false,
      patternProperties: {
        [keyWordPattern]: Type.Union([keyValue, Type.Array(keyValue, { minItems: 1, maxItems })]),
      },
      description:
        'Which deliveries: the same words as in the lists, each with a text or a list of texts. Business keys are `key.<name>`. Several values of a word: any of them; several words: all of them.',
      examples: [{ tenant: 'acme', event_type: ['order.*'], state: 'failed', since: '24h', 'key.order': 'ord_42' }],
    },
  ),
)
export type ListFilter = Static<typeof ListFilter>
