/**
 * Search: what a text is that somebody has found in a log, an e-mail or a ticket.
 */
import { type Static, Type } from 'typebox'
import { limits } from '../limits.ts'
import { Nullable } from './nullable.ts'
import { named, reference } from './reference.ts'
import { TenantId } from './tenant.ts'
import { Text, Time } from './text.ts'

/** What can be found. */
export const searchKinds = [
  'event',
  'delivery',
  'attempt',
  'subscription',
  'replay',
  'tenant',
  'event_type',
  'api_key',
  'idempotency_key',
] as const
export type SearchKind = (typeof searchKinds)[number]

/** What of it the text is. */
export const searchMatches = ['id', 'publish_id', 'business_key', 'trace_id', 'idempotency_key'] as const
export type SearchMatch = (typeof searchMatches)[number]

/** A name, `=` and a value. */
const searchLengthMax = limits.businessKeyLengthMax + 1 + limits.businessKeyValueLengthMax

export const SearchQuery = Type.Object(
  {
    q: Text({
      minLength: 1,
      maxLength: searchLengthMax,
      examples: ['ord_42'],
      description: `Any id, a publisher's own id of an event, a business key (\`ord_42\` or \`order=ord_42\`), a trace id, a whole \`traceparent\` or an \`Idempotency-Key\` of the last ${limits.idempotencyKeyHours} hours. As a whole: parts of it find nothing`,
    }),
  },
  { additionalProperties: false },
)
export type SearchQuery = Static<typeof SearchQuery>

export const SearchHit = named(
  'SearchHit',
  Type.Object(
    {
      kind: Type.Enum([...searchKinds], { type: 'string' }),
      id: Type.String({ description: 'Its id; the name of an event type; an idempotency key itself' }),
      tenant: Nullable(
        TenantId({ description: "Whose it is; null for what is nobody's, and for requests of the operator" }),
      ),
      matched: Type.Enum([...searchMatches], { type: 'string', description: 'What of it the text is' }),
      key: Nullable(Type.String({ description: 'The name of the business key, where it is one', examples: ['order'] })),
      request: Nullable(
        Type.Object(
          {
            operation: Nullable(
              Type.String({
                description: 'Its `operationId`; null where that was not kept',
                examples: ['publishEvent'],
              }),
            ),
            answered: Type.Boolean({ description: 'False while it is under way, and when its answer was lost' }),
          },
          { description: 'The request that was made under the idempotency key, where it is one' },
        ),
      ),
      created_at: Time(),
      links: Type.Unsafe<Record<string, string>>({
        type: 'object',
        additionalProperties: { type: 'string' },
        description: 'Paths of this API: `self`, and what belongs to it',
        examples: [{ self: '/v1/events/evt_01karfmq1yfcesmh0cdwq8tprq' }],
      }),
    },
    { description: 'Something that a text names' },
  ),
)
export type SearchHit = Static<typeof SearchHit>

export const SearchResults = named(
  'SearchResults',
  Type.Object({
    data: Type.Array(reference(SearchHit), { description: 'What is known under this id, then events, newest first' }),
    has_more: Type.Boolean({
      description: `More events match than the ${limits.searchHitsMax} that are told; list those of a business key with GET /v1/events?key.…=…`,
    }),
  }),
)
export type SearchResults = Static<typeof SearchResults>
