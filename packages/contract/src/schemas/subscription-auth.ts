/**
 * How a subscription's requests authenticate themselves beside the signature. Credentials go in and never come out: what
 * is read back names the type and a hint by which people recognise the credential.
 */
import { type Static, Type } from 'typebox'
import { limits } from '../limits.ts'
import { credentialTypes } from '../states.ts'
import { Nullable } from './nullable.ts'

const maxLength = limits.credentialLengthMax

/** RFC 7617 §2: no control characters; the first colon ends the user name, so it holds none. */
const Basic = Type.Object(
  {
    type: Type.Literal('basic'),
    username: Type.String({ maxLength, pattern: '^[^\\u0000-\\u001f\\u007f:\\ud800-\\udfff]*$' }),
    password: Type.String({ maxLength, pattern: '^[^\\u0000-\\u001f\\u007f\\ud800-\\udfff]*$' }),
  },
  { additionalProperties: false, description: 'Sent as `authorization: Basic …` (RFC 7617)' },
)

/** RFC 6750 §2.1 names fewer characters; issuers use all that can be printed. */
const Bearer = Type.Object(
  {
    type: Type.Literal('bearer'),
    token: Type.String({ minLength: 1, maxLength, pattern: '^[!-~]*$' }),
  },
  { additionalProperties: false, description: 'Sent as `authorization: Bearer …` (RFC 6750)' },
)

const ApiKeyHeader = Type.Object(
  {
    type: Type.Literal('api_key'),
    header: Type.String({
      minLength: 1,
      maxLength: limits.nameLengthMax,
      description: 'The name of the header. Those that may be custom headers, and `authorization`.',
      examples: ['x-api-key'],
    }),
    value: Type.String({ minLength: 1, maxLength, pattern: '^[!-~](?:[\\t -~]*[!-~])?$' }),
  },
  { additionalProperties: false, description: 'Sent as a header of your choice' },
)

/** Told apart by `type`, so that a mistake is told of the chosen form only. */
export const GivenAuth = Type.Unsafe<Static<typeof Basic> | Static<typeof Bearer> | Static<typeof ApiKeyHeader>>({
  type: 'object',
  required: ['type'],
  discriminator: { propertyName: 'type' },
  oneOf: [Basic, Bearer, ApiKeyHeader],
  description:
    'Credentials sent with every request, for receivers that ask for more than the signature. Stored encrypted and never shown again. Replaced as a whole.',
})
export type GivenAuth = Static<typeof GivenAuth>

/** What is read back. */
export const ShownAuth = Type.Object(
  {
    type: Type.Enum([...credentialTypes], { type: 'string' }),
    username: Type.Optional(Type.String({ description: 'With `basic`' })),
    header: Type.Optional(Type.String({ description: 'With `api_key`: the header that carries it' })),
    hint: Nullable(
      Type.String({ description: 'The last characters of a token or key that is long enough to show them' }),
    ),
  },
  { description: 'The credentials that requests carry, without the secret' },
)
export type ShownAuth = Static<typeof ShownAuth>
