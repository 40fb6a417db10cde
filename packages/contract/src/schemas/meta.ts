import { type Static, Type } from 'typebox'
import { payloadFormats, signatureSchemes } from '../states.ts'
import { Nullable } from './nullable.ts'
import { named } from './reference.ts'

const seconds = Type.Integer({ minimum: 0 })

export const Meta = named(
  'Meta',
  Type.Object(
    {
      version: Type.String({ examples: ['0.1.0'] }),
      egress_addresses: Type.Array(Type.String({ examples: ['203.0.113.7', '2001:db8::/48'] }), {
        description: 'Addresses and networks that requests come from; empty when the operator has not named them',
      }),
      event_docs_url: Nullable(
        Type.String({
          examples: ['https://posthorn.example.com/event-docs'],
          description: 'Where the event types are documented for receivers; null when the operator has turned that off',
        }),
      ),
      signature: Type.Object({
        standard: Type.String({ examples: ['https://www.standardwebhooks.com'] }),
        headers: Type.Object({ id: Type.String(), timestamp: Type.String(), signature: Type.String() }),
        schemes: Type.Array(Type.Enum([...signatureSchemes], { type: 'string' })),
        tolerance_seconds: Type.Integer({ minimum: 0, description: 'What a receiver should allow, both ways' }),
      }),
      delivery: Type.Object({
        method: Type.String({ examples: ['POST'] }),
        retry_schedule_seconds: Type.Array(seconds, {
          description: 'Waits before the second, third … attempt, unless a subscription has its own; jitter only adds',
        }),
        timeout_ms: Type.Integer({ minimum: 1, description: 'Of one attempt, unless a subscription has its own' }),
        disabled_after_hours: Nullable(
          Type.Number({ minimum: 0, description: 'A subscription that nothing but fails for so long is disabled' }),
        ),
        payload_formats: Type.Array(Type.Enum([...payloadFormats], { type: 'string' })),
      }),
      limits: Type.Unsafe<Record<string, number>>({
        type: 'object',
        additionalProperties: { type: 'integer' },
        description: 'Every limit of this API, by name',
        examples: [{ event_data_bytes_max: 262_144, batch_events_max: 1000 }],
      }),
    },
    { description: 'What receivers and publishers need to know of this installation' },
  ),
)
export type Meta = Static<typeof Meta>
