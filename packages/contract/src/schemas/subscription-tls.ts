/**
 * How a subscription's connections are secured beyond what holds for all: a certificate that shows the receiver who calls,
 * and authorities that vouch for the receiver. Both are given as PEM; what is read back tells certificates by their
 * fingerprint and never shows a key.
 */
import { type Static, Type } from 'typebox'
import { limits } from '../limits.ts'
import { Nullable } from './nullable.ts'
import { Time } from './text.ts'

export const GivenTls = Type.Object(
  {
    client_certificate: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: limits.clientCertificateLengthMax,
        description: 'PEM: the certificate shown to the receiver, then the intermediate ones, each issued by the next',
      }),
    ),
    client_key: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: limits.clientKeyLengthMax,
        description: 'PEM: the private key of the client certificate, not encrypted. Given with it or not at all.',
      }),
    ),
    ca_certificates: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: limits.caCertificatesLengthMax,
        description: 'PEM: the authorities that vouch for the receiver. They take the place of the public ones.',
      }),
    ),
  },
  {
    additionalProperties: false,
    description:
      'A client certificate, and authorities of your own, for connections to the callback URL. Stored encrypted; the key is never shown again. Replaced as a whole.',
  },
)
export type GivenTls = Static<typeof GivenTls>

const ShownCertificate = Type.Object({
  subject: Type.String({ description: 'Such as `CN=posthorn, O=Acme`' }),
  fingerprint_sha256: Type.String({ description: 'As `openssl x509 -fingerprint -sha256` prints it' }),
  not_after: Time('When it expires'),
})
export type ShownCertificate = Static<typeof ShownCertificate>

/** What is read back. */
export const ShownTls = Type.Object(
  {
    client_certificate: Nullable(ShownCertificate),
    ca_certificates: Type.Array(ShownCertificate, { description: 'Empty: the public authorities are trusted' }),
  },
  { description: 'The certificates of its connections, without the key' },
)
export type ShownTls = Static<typeof ShownTls>
