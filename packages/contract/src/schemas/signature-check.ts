import { type Static, Type } from 'typebox'
import { signatureCauses } from '../states.ts'
import { Id } from './id-text.ts'
import { Nullable } from './nullable.ts'
import { named } from './reference.ts'
import { Text, Time } from './text.ts'

const headerLengthMax = 8192
const headersMax = 100

export const CheckSignature = Type.Object(
  {
    subscription: Id('subscription'),
    headers: Type.Record(Type.String({ maxLength: 256 }), Type.String({ maxLength: headerLengthMax }), {
      maxProperties: headersMax,
      description: 'As they were received; those that are not `webhook-…` are not looked at',
      examples: [
        {
          'webhook-id': 'evt_06fy2c8k1a3r7zt0m4qxw9e5vd',
          'webhook-timestamp': '1764115200',
          'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
        },
      ],
    }),
    body: Type.String({
      description: 'Exactly as it was received, before any parsing',
      examples: ['{"type":"invoice.paid","timestamp":"2026-11-26T00:00:00.000Z","data":{"total":1}}'],
    }),
    received_at: Type.Optional(Time('When it was received, by the clock of the receiver; now when left out')),
    computed_signature: Type.Optional(
      Text({
        maxLength: 512,
        description:
          'What the code of the receiver computes for this request. When the request itself is in order, this tells what the code does instead.',
      }),
    ),
  },
  { additionalProperties: false },
)
export type CheckSignature = Static<typeof CheckSignature>

export const SignatureCheck = named(
  'SignatureCheck',
  Type.Object(
    {
      valid: Type.Boolean({ description: 'A receiver that is written well accepts the request' }),
      authentic: Type.Boolean({
        description: 'A key of the subscription has signed exactly this; only the time may be wrong',
      }),
      cause: Nullable(Type.Enum([...signatureCauses], { type: 'string', description: 'The mistake, if there is one' })),
      detail: Type.String({ description: 'What was found and how to mend it. Never a secret or a signature.' }),
      subscription_id: Nullable(
        Id('subscription', { description: 'For `secret_of_other_subscription`: the one whose secret it is' }),
      ),
      compared_with_sent_body: Type.Boolean({
        description: 'The event is known, so the body was compared with the one that was sent',
      }),
    },
    { description: 'What is wrong with the signature of a request, if anything' },
  ),
)
export type SignatureCheck = Static<typeof SignatureCheck>
