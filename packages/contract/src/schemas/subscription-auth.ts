/**
 * How a subscription's requests authenticate themselves beside the signature. Credentials go in and never come out: what
 * is read back names the type and a hint by which people recognise the credential.
 */
import { type Static, Type } from 'typebox'
import { form } from '../forms.ts'
import { limits } from '../limits.ts'
import { clientAuthentications, credentialTypes } from '../states.ts'
import { Nullable } from './nullable.ts'

const maxLength = limits.credentialLengthMax
const visibleOnly = 'must be printable ASCII without spaces'

/** RFC 7617 §2: no control characters; the first colon ends the user name, so it holds none. */
const Basic = Type.Object(
  {
    type: Type.Literal('basic'),
    username: Type.String({
      maxLength,
      pattern: form(
        '^[^\\u0000-\\u001f\\u007f:\\ud800-\\udfff]*$',
        'must hold no colon and no control characters, such as acme',
      ),
    }),
    password: Type.String({
      maxLength,
      pattern: form(
        '^[^\\u0000-\\u001f\\u007f\\ud800-\\udfff]*$',
        'must hold no control characters, line ends included',
      ),
    }),
  },
  { additionalProperties: false, description: 'Sent as `authorization: Basic …` (RFC 7617)' },
)

/** RFC 6750 §2.1 names fewer characters; issuers use all that can be printed. */
const Bearer = Type.Object(
  {
    type: Type.Literal('bearer'),
    token: Type.String({ minLength: 1, maxLength, pattern: form('^[!-~]*$', visibleOnly) }),
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
    value: Type.String({
      minLength: 1,
      maxLength,
      pattern: form('^[!-~](?:[\\t -~]*[!-~])?$', 'must be printable ASCII, with no space at either end'),
    }),
  },
  { additionalProperties: false, description: 'Sent as a header of your choice' },
)

/** RFC 6749 appendix A.1, A.2: printable ASCII and spaces. */
const printable = form('^[ -~]*$', 'must be printable ASCII')

const OAuth2 = Type.Object(
  {
    type: Type.Literal('oauth2_client_credentials'),
    token_url: Type.String({
      minLength: 1,
      // The rules of callback URLs answer for the length, with a code of their own.
      description: 'Where the token is fetched: held to the rules of callback URLs',
      examples: ['https://login.acme.example/oauth2/token'],
    }),
    client_id: Type.String({ minLength: 1, maxLength, pattern: printable }),
    client_secret: Type.String({ minLength: 1, maxLength, pattern: printable }),
    // RFC 6749 §3.3
    scope: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength,
        pattern: form(
          '^[!#-\\[\\]-~]+(?: [!#-\\[\\]-~]+)*$',
          'must be scopes with one space between, such as events.write events.read',
        ),
        examples: ['events.write'],
      }),
    ),
    audience: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength,
        pattern: form('^[!-~]+$', visibleOnly),
        description: 'For issuers that ask for it',
      }),
    ),
    client_authentication: Type.Optional(
      Type.Enum([...clientAuthentications], {
        type: 'string',
        description:
          'How the token URL is shown `client_id` and `client_secret`: in a header or in the body. `client_secret_basic` when left out.',
      }),
    ),
  },
  {
    additionalProperties: false,
    description:
      'A token is fetched with the client credentials (RFC 6749 §4.4), kept for its lifetime, and sent as `authorization: Bearer …`',
  },
)

type AnyAuth = Static<typeof Basic> | Static<typeof Bearer> | Static<typeof ApiKeyHeader> | Static<typeof OAuth2>

/** Told apart by `type`, so that a mistake is told of the chosen form only. */
export const GivenAuth = Type.Unsafe<AnyAuth>({
  type: 'object',
  required: ['type'],
  discriminator: { propertyName: 'type' },
  oneOf: [Basic, Bearer, ApiKeyHeader, OAuth2],
  description:
    'Credentials sent with every request, for receivers that ask for more than the signature. Stored encrypted and never shown again. Replaced as a whole.',
})
export type GivenAuth = Static<typeof GivenAuth>
export type GivenOAuth2 = Static<typeof OAuth2>

/** What is read back. */
export const ShownAuth = Type.Object(
  {
    type: Type.Enum([...credentialTypes], { type: 'string' }),
    username: Type.Optional(Type.String({ description: 'With `basic`' })),
    header: Type.Optional(Type.String({ description: 'With `api_key`: the header that carries it' })),
    token_url: Type.Optional(Type.String({ description: 'This and what follows with `oauth2_client_credentials`' })),
    client_id: Type.Optional(Type.String()),
    scope: Type.Optional(Type.String()),
    audience: Type.Optional(Type.String()),
    client_authentication: Type.Optional(Type.Enum([...clientAuthentications], { type: 'string' })),
    hint: Nullable(
      Type.String({ description: 'The last characters of a token, key or secret that is long enough to show them' }),
    ),
  },
  { description: 'The credentials that requests carry, without the secret' },
)
export type ShownAuth = Static<typeof ShownAuth>
