import { type Static, Type } from 'typebox'
import { checkVerdicts, receiverChecks } from '../states.ts'
import { Attempt } from './attempt.ts'
import { EventTypeName } from './event-type.ts'
import { Id } from './id-text.ts'
import { Nullable } from './nullable.ts'
import { named, reference } from './reference.ts'
import { Texts, Time } from './text.ts'

const { response, failure_code, failure_detail } = Attempt.properties
const verdict = Type.Enum([...checkVerdicts], { type: 'string' })
const count = Type.Integer({ minimum: 0 })

export const ScorecardCheck = named(
  'ScorecardCheck',
  Type.Object(
    {
      check: Type.Enum([...receiverChecks], { type: 'string' }),
      verdict,
      expected: Type.String({ description: 'What a receiver that is written well does' }),
      detail: Type.String({ description: 'What this one did, or why it was not asked' }),
      fix: Nullable(Type.String({ description: 'What to do about it, in a sentence; null when there is nothing' })),
      request: Nullable(
        Type.Object(
          {
            event_id: Id('event', { description: 'The `webhook-id`. There is no such event' }),
            event_type: EventTypeName(),
            sent_at: Time(),
            headers: Texts(),
            body_bytes: Type.Integer({ minimum: 0 }),
            body: Nullable(
              Type.String({ description: 'The beginning of it; null for keys that may not see payloads' }),
            ),
          },
          { description: 'What was sent' },
        ),
      ),
      response,
      failure_code,
      failure_detail,
      explained_at: Nullable(Type.String({ description: 'Where the failure code is explained' })),
      total_ms: Nullable(Type.Number({ minimum: 0, description: 'From the request to the answer' })),
    },
    { description: 'What came of one check' },
  ),
)
export type ScorecardCheck = Static<typeof ScorecardCheck>

export const Scorecard = named(
  'Scorecard',
  Type.Object(
    {
      subscription_id: Id('subscription'),
      event_type: EventTypeName({ description: 'The type of the good event' }),
      started_at: Time(),
      took_ms: Type.Number({ minimum: 0 }),
      verdict: Type.Enum([...checkVerdicts], {
        type: 'string',
        description:
          '`failed` if a check did, else `not_run` if one was not made, else `warning` if there was one, else `passed`',
      }),
      total: Type.Object(
        { passed: count, warning: count, failed: count, not_run: count, not_applicable: count },
        { description: 'How many checks ended how' },
      ),
      checks: Type.Array(reference(ScorecardCheck), { description: 'In the order in which they were made' }),
    },
    { description: 'How a receiver treats events that are good, forged, old, repeated, unknown and large' },
  ),
)
export type Scorecard = Static<typeof Scorecard>

export const CheckReceiverQuery = Type.Object(
  {
    event_type: Type.Optional(
      EventTypeName({
        description:
          'Send the first example of its newest version: for receivers that accept known types only. `posthorn.test` when left out',
      }),
    ),
  },
  { additionalProperties: false },
)
