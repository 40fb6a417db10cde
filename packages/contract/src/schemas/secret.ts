import { type Static, Type } from 'typebox'
import { limits } from '../limits.ts'
import { Id } from './id-text.ts'
import { Nullable } from './nullable.ts'
import { named, reference } from './reference.ts'
import { Time } from './text.ts'

const secretLengthMax = 128

export const Secret = named(
  'Secret',
  Type.Object(
    {
      id: Id('secret'),
      secret: Type.String({ description: '`whsec_` and base64' }),
      created_at: Time(),
      expires_at: Nullable(Time('When it stops signing; null for the current one')),
    },
    { description: 'A signing key of a subscription' },
  ),
)
export type Secret = Static<typeof Secret>

const older = Type.Array(Type.Object({ id: Id('secret'), expires_at: Time('When it stops signing') }), {
  description: 'Those that go on signing beside it; none when they were ended',
})

/** The answer to a rotation. */
export const RotatedSecret = named('RotatedSecret', Type.Object({ ...Secret.properties, older }))
export type RotatedSecret = Static<typeof RotatedSecret>

/** All that sign at the moment, the current one first. There are never more than a few, so they are not paged. */
export const Secrets = named('Secrets', Type.Object({ data: Type.Array(reference(Secret)) }))
export type Secrets = Static<typeof Secrets>

const overlap = {
  overlap_seconds: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: limits.overlapSecondsMax,
      default: limits.overlapSecondsDefault,
      description:
        'How long the older ones go on signing beside the new one, unless they end before that anyway. 0: they end now.',
    }),
  ),
}

export const RotateSecret = Type.Object(
  {
    ...overlap,
    secret: Type.Optional(
      Type.String({
        maxLength: secretLengthMax,
        description: 'Your own: `whsec_` and the base64 of 24 to 64 bytes. Generated when left out.',
      }),
    ),
  },
  { additionalProperties: false },
)
export type RotateSecret = Static<typeof RotateSecret>

export const PublicKey = named(
  'PublicKey',
  Type.Object(
    {
      id: Id('secret'),
      public_key: Type.String({ description: '`whpk_` and the base64 of the 32 bytes of an Ed25519 public key' }),
      created_at: Time(),
      expires_at: Nullable(Time('When its pair stops signing; null for the current one')),
    },
    { description: 'What verifies the `v1a` signatures of a subscription' },
  ),
)
export type PublicKey = Static<typeof PublicKey>

/** The answer to a rotation. */
export const RotatedPublicKey = named('RotatedPublicKey', Type.Object({ ...PublicKey.properties, older }))
export type RotatedPublicKey = Static<typeof RotatedPublicKey>

/** Those of all pairs that sign at the moment, the current one first. */
export const PublicKeys = named('PublicKeys', Type.Object({ data: Type.Array(reference(PublicKey)) }))
export type PublicKeys = Static<typeof PublicKeys>

export const RotateKeyPair = Type.Object(overlap, { additionalProperties: false })
export type RotateKeyPair = Static<typeof RotateKeyPair>
