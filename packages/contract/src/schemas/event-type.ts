import { type Static, Type } from 'typebox'
import { eventTypeNamePattern, eventTypePatternPattern } from '../event-type-pattern.ts'
import { limits } from '../limits.ts'
import { eventTypeStates, validationModes } from '../states.ts'
import { businessKeyNamePattern } from './business-key.ts'
import { Nullable } from './nullable.ts'
import { Page } from './page.ts'
import { named } from './reference.ts'
import { Text, Time } from './text.ts'

export function EventTypeName(options: { description?: string } = {}) {
  return Type.String({
    pattern: eventTypeNamePattern,
    maxLength: limits.nameLengthMax,
    examples: ['invoice.paid'],
    ...options,
  })
}

export function EventTypePattern(options: { description?: string } = {}) {
  return Type.String({
    pattern: eventTypePatternPattern,
    maxLength: limits.nameLengthMax,
    examples: ['invoice.*'],
    ...options,
  })
}

/** RFC 6901 §3. The empty pointer is the data itself, which is never a key where keys are of use. */
const jsonPointerPattern = '^(/([^~/\\u0000\\ud800-\\udfff]|~[01])*)+$'

const keyPointers = Type.Unsafe<Record<string, string>>({
  type: 'object',
  maxProperties: limits.businessKeysMax,
  propertyNames: { pattern: businessKeyNamePattern },
  additionalProperties: { type: 'string', maxLength: limits.keyPointerLengthMax, pattern: jsonPointerPattern },
  description:
    'Business keys that are read out of `data` when an event is published: the name of a key, and the JSON Pointer of its value. A string or an integer there becomes the key, unless `keys` of the event names it; anything else there is no key',
  examples: [{ order: '/order/id' }],
})

const validationDescription =
  'What happens to data that does not fit the newest schema: `off` nobody looks, `warn` it is stored and marked, `reject` it is refused'

export const EventType = named(
  'EventType',
  Type.Object(
    {
      name: EventTypeName(),
      description: Nullable(Type.String()),
      group: Nullable(Type.String()),
      status: Type.Enum([...eventTypeStates], {
        type: 'string',
        description: 'An `archived` type can no longer be published',
      }),
      validation: Type.Enum([...validationModes], { type: 'string', description: validationDescription }),
      key_pointers: keyPointers,
      latest_version: Type.Integer({ description: 'Number of the newest schema; 0 while there is none' }),
      created_at: Time(),
      updated_at: Time(),
    },
    { description: 'A kind of event, with versioned schemas' },
  ),
)
export type EventType = Static<typeof EventType>

export const EventTypePage = Page(EventType)

/** What is left out gets its default. */
export const PutEventType = Type.Object(
  {
    description: Type.Optional(Nullable(Text({ maxLength: limits.descriptionLengthMax }))),
    group: Type.Optional(
      Nullable(
        Text({
          maxLength: limits.nameLengthMax,
          examples: ['Invoices'],
          description: 'A heading of the documentation',
        }),
      ),
    ),
    status: Type.Optional(Type.Enum([...eventTypeStates], { type: 'string', description: '`active` when left out' })),
    validation: Type.Optional(
      Type.Enum([...validationModes], {
        type: 'string',
        description: `${validationDescription}. \`off\` when left out`,
      }),
    ),
    key_pointers: Type.Optional(keyPointers),
  },
  { additionalProperties: false },
)
export type PutEventType = Static<typeof PutEventType>

function JsonSchemaObject(description: string) {
  return Type.Unsafe<Record<string, unknown>>({ type: 'object', additionalProperties: true, description })
}

export const EventTypeVersion = named(
  'EventTypeVersion',
  Type.Object(
    {
      event_type: EventTypeName(),
      version: Type.Integer({ minimum: 1 }),
      schema: JsonSchemaObject('JSON Schema 2020-12 of `data`'),
      examples: Type.Array(Type.Unknown(), { description: 'Values of `data` that fit the schema' }),
      created_at: Time(),
    },
    { description: "One version of an event type's schema. Never changes." },
  ),
)
export type EventTypeVersion = Static<typeof EventTypeVersion>

export const EventTypeVersionPage = Page(EventTypeVersion)

export const CreateEventTypeVersion = Type.Object(
  {
    schema: JsonSchemaObject(
      'JSON Schema 2020-12 of `data`. At most 64 KiB; references only within the schema (`#…`); patterns without look-around and back-references.',
    ),
    examples: Type.Optional(
      Type.Array(Type.Unknown(), {
        maxItems: limits.examplesMax,
        description: 'Values of `data`. Each must fit the schema.',
      }),
    ),
  },
  { additionalProperties: false },
)
export type CreateEventTypeVersion = Static<typeof CreateEventTypeVersion>
