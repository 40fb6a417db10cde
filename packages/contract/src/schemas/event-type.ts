import { type Static, Type } from 'typebox'
import { eventTypeNamePattern, eventTypePatternPattern } from '../event-type-pattern.ts'
import { form } from '../forms.ts'
import { limits } from '../limits.ts'
import { changeKinds, changeVerdicts } from '../schema-changes/changes.ts'
import { eventTypeStates, validationModes } from '../states.ts'
import { businessKeyNamePattern } from './business-key.ts'
import { Nullable } from './nullable.ts'
import { Page } from './page.ts'
import { named, reference } from './reference.ts'
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
const jsonPointerPattern = form(
  '^(/([^~/\\u0000\\ud800-\\udfff]|~[01])*)+$',
  'must be a JSON Pointer into the data, such as /order/id',
)

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

const verdictDescription =
  'What it means for receivers that were written for the version before: `safe` nothing, `warning` validators and columns may be too narrow, `breaking` code may fail'

export const SchemaChange = named(
  'SchemaChange',
  Type.Object(
    {
      path: Type.String({
        examples: ['data.lines[].total'],
        description: 'The place in the data: `[]` is any item, `{}` any member of a map',
      }),
      kind: Type.Enum(Object.keys(changeKinds), { type: 'string' }),
      verdict: Type.Enum([...changeVerdicts], { type: 'string', description: verdictDescription }),
      sentence: Type.String({ examples: ['It may be null now.'], description: 'For the developer of a receiver' }),
    },
    { description: 'One thing that a version of a schema changes for receivers' },
  ),
)
export type SchemaChange = Static<typeof SchemaChange>

export const SchemaComparison = named(
  'SchemaComparison',
  Type.Object(
    {
      compared_with: Nullable(
        Type.Integer({ minimum: 1, description: 'The version before; null for the first, which changes nothing' }),
      ),
      verdict: Type.Enum([...changeVerdicts], {
        type: 'string',
        description: `The worst of the changes. ${verdictDescription}`,
      }),
      changes: Type.Array(reference(SchemaChange)),
      truncated: Type.Boolean({ description: 'There are more changes than are named; the verdict counts them all' }),
    },
    { description: 'What a version of a schema changes for those who receive the data' },
  ),
)
export type SchemaComparison = Static<typeof SchemaComparison>

const comparison = Type.Unsafe<SchemaComparison | null>({
  ...Nullable(reference(SchemaComparison)),
  description: 'What it changes for receivers. Null for versions from before this was kept.',
})

export const EventTypeVersion = named(
  'EventTypeVersion',
  Type.Object(
    {
      event_type: EventTypeName(),
      version: Type.Integer({ minimum: 1 }),
      schema: JsonSchemaObject('JSON Schema 2020-12 of `data`'),
      examples: Type.Array(Type.Unknown(), { description: 'Values of `data` that fit the schema' }),
      comparison,
      created_at: Time(),
    },
    { description: "One version of an event type's schema. Never changes." },
  ),
)
export type EventTypeVersion = Static<typeof EventTypeVersion>

export const EventTypeVersionDryRun = named(
  'EventTypeVersionDryRun',
  Type.Object(
    {
      event_type: EventTypeName(),
      version: Type.Integer({ minimum: 1, description: 'The number that it would get now' }),
      comparison: reference(SchemaComparison),
    },
    { description: 'What a version would change. Nothing was stored.' },
  ),
)
export type EventTypeVersionDryRun = Static<typeof EventTypeVersionDryRun>

export const importOutcomes = ['created', 'updated', 'unchanged'] as const

export const EventTypeImport = named(
  'EventTypeImport',
  Type.Object(
    {
      dry_run: Type.Boolean({ description: 'Nothing was stored' }),
      data: Type.Array(
        Type.Object({
          name: EventTypeName(),
          outcome: Type.Enum([...importOutcomes], { type: 'string' }),
          schema_pointer: Nullable(
            Type.String({
              description: 'Where in the document its schema was taken from; null when the webhook has no JSON body',
            }),
          ),
          version: Type.Integer({ minimum: 0, description: 'Number of its newest schema now; 0 for none' }),
          comparison: Type.Unsafe<SchemaComparison | null>({
            ...Nullable(reference(SchemaComparison)),
            description: 'What the new version changes; null when none was made, because nothing had changed',
          }),
        }),
        { description: 'By name' },
      ),
      left_out: Type.Array(Type.Object({ pointer: Type.String(), reason: Type.String() }), {
        description: 'Parts of the document that have no place here, and why',
      }),
    },
    { description: 'What came of the webhooks of an OpenAPI document' },
  ),
)
export type EventTypeImport = Static<typeof EventTypeImport>

/** An OpenAPI document. Its parts are judged by the importer, which names what is wrong with them. */
export const ImportEventTypes = Type.Object(
  {
    openapi: Type.String({ examples: ['3.1.1'], description: '3.1.x' }),
    webhooks: Type.Unsafe<Record<string, unknown>>({
      type: 'object',
      additionalProperties: true,
      description: `Each becomes an event type of that name; at most ${limits.importEventTypesMax}`,
    }),
  },
  { additionalProperties: true, description: 'An OpenAPI 3.1 document as JSON, at most 2 MiB' },
)

/** `?dry_run=1`. */
export const DryRunQuery = Type.Object(
  {
    dry_run: Type.Optional(
      Type.Enum(['1'], { type: 'string', description: 'Only tells what would be; stores nothing' }),
    ),
  },
  { additionalProperties: false },
)

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
