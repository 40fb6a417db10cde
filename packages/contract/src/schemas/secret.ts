import { type Static, Type } from 'typebox'
import { Id } from './id-text.ts'
import { Nullable } from './nullable.ts'
import { named, reference } from './reference.ts'
import { Time } from './text.ts'

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

/** All that sign at the moment, the current one first. There are never more than a few, so they are not paged. */
export const Secrets = named('Secrets', Type.Object({ data: Type.Array(reference(Secret)) }))
export type Secrets = Static<typeof Secrets>
