import { type Static, Type } from 'typebox'
import { observationFindings } from '../states.ts'
import { EventTypeName } from './event-type.ts'
import { Nullable } from './nullable.ts'
import { named, reference } from './reference.ts'
import { Time } from './text.ts'

/** The types of JSON, whole numbers apart from the others. */
export const observedTypes = ['null', 'boolean', 'integer', 'number', 'string', 'array', 'object'] as const
export type ObservedType = (typeof observedTypes)[number]

const events = Type.Integer({ minimum: 0, description: 'Events of the sample in which it came' })

export const ObservedField = named(
  'ObservedField',
  Type.Object(
    {
      path: Type.String({
        examples: ['data.lines[].currency'],
        description:
          'The place in the data: `[]` is any item, `{}` any member of a map, or any whose name is not told because it may be about somebody',
      }),
      declared: Type.Boolean({ description: 'The schema knows this place' }),
      required: Type.Boolean({ description: 'The schema asks for it wherever that is of which it is a part' }),
      findings: Type.Array(Type.Enum([...observationFindings], { type: 'string' }), {
        description: 'What differs from the schema; empty when nothing does',
      }),
      events,
      percent: Type.Number({ minimum: 0, maximum: 100, description: '`events`, of all events of the sample' }),
      parent_events: Type.Integer({
        minimum: 0,
        description: 'Events in which that came of which it is a part',
      }),
      missing_events: Type.Integer({
        minimum: 0,
        description: 'Events in which it is missing at least once although it is required',
      }),
      types: Type.Array(
        Type.Object({
          type: Type.Enum([...observedTypes], {
            type: 'string',
            description: 'An `integer` has no fraction; a `number` here has one',
          }),
          declared: Type.Boolean(),
          events,
        }),
      ),
      values: Nullable(
        Type.Array(
          Type.Object({
            value: Type.Unknown({ examples: ['paid'] }),
            declared: Type.Boolean({ description: 'The schema lists it' }),
            events,
          }),
          {
            description:
              'Only where the schema lists values: those it does not list first, as far as they look like words of a program, then its own by how often they came. Null elsewhere, and for readers who may not see payloads',
          },
        ),
      ),
      more_values: Type.Integer({ minimum: 0, description: 'Values that the schema lists, beyond those told' }),
      outside_events: Type.Integer({
        minimum: 0,
        description: 'Events with a value that the schema does not list, whether it is told or not',
      }),
      untold_events: Type.Integer({ minimum: 0, description: 'Those of them with a value that is not told' }),
    },
    { description: 'What came at one place in the data' },
  ),
)
export type ObservedField = Static<typeof ObservedField>

export const Observations = named(
  'Observations',
  Type.Object(
    {
      event_type: EventTypeName(),
      version: Nullable(
        Type.Integer({
          minimum: 1,
          description: 'The newest version, whose schema the data is compared with; null while there is none',
        }),
      ),
      compared: Type.Boolean({
        description:
          'False when there is no schema, or one that cannot be taken apart within bounds: then nothing is declared',
      }),
      sample: Type.Object({
        events: Type.Integer({ minimum: 0, description: 'Events that were looked at, of all tenants' }),
        bytes: Type.Integer({ minimum: 0, description: 'Their data, in UTF-8' }),
        since: Time('No event before then is looked at: the time of the version, or some days ago'),
        oldest_at: Nullable(Time('When the oldest of them was published')),
        newest_at: Nullable(Time('When the newest of them was published')),
        complete: Type.Boolean({ description: 'All events since then were looked at' }),
        versions: Type.Array(
          Type.Object({
            version: Nullable(
              Type.Integer({
                minimum: 1,
                description: 'The version that it was held to; null when it was held to none',
              }),
            ),
            events: Type.Integer({ minimum: 1 }),
          }),
          { description: 'How many events were held to which version when they were published' },
        ),
      }),
      counts: Type.Object(
        Object.fromEntries(observationFindings.map((finding) => [finding, Type.Integer({ minimum: 0 })])) as Record<
          (typeof observationFindings)[number],
          ReturnType<typeof Type.Integer>
        >,
        { description: 'Places with each finding, of those told' },
      ),
      data: Type.Array(reference(ObservedField), { description: 'In the order of the schema' }),
      more_fields: Type.Integer({ minimum: 0, description: 'And so many more places or names, which are not told' }),
    },
    { description: 'What was published, beside what the schema declares. Counts, and no content.' },
  ),
)
export type Observations = Static<typeof Observations>
