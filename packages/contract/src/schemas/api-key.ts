import { type Static, Type } from 'typebox'
import { limits } from '../limits.ts'
import { apiKeyRoles, grantablePermissions } from '../states.ts'
import { Id } from './id-text.ts'
import { GivenTime } from './moment.ts'
import { Nullable } from './nullable.ts'
import { Page } from './page.ts'
import { named } from './reference.ts'
import { TenantId } from './tenant.ts'
import { Text, Time } from './text.ts'

/** JSON-Schema pattern of an API key: `phk_` and at least 160 bits in base62. */
export const apiKeyPattern = '^phk_[A-Za-z0-9]{27,64}$'

const permissions = Type.Array(Type.Enum([...grantablePermissions], { type: 'string' }), {
  uniqueItems: true,
  maxItems: grantablePermissions.length,
  description:
    'What it may do beside what its role may. `payloads:read` shows a key of the role `support` what events, requests and answers hold.',
})

export const ApiKey = named(
  'ApiKey',
  Type.Object(
    {
      id: Id('api_key'),
      name: Type.String(),
      role: Type.Enum([...apiKeyRoles], { type: 'string' }),
      tenant: Nullable(TenantId({ description: 'The one tenant that a key of the role `tenant` may see' })),
      permissions,
      hint: Type.String({ description: 'How the key begins, to recognise it by' }),
      created_at: Time(),
      expires_at: Nullable(Time()),
      revoked_at: Nullable(Time()),
    },
    { description: 'A credential of this API' },
  ),
)
export type ApiKey = Static<typeof ApiKey>

/** The answer to a create: the only time that the key is shown. */
export const CreatedApiKey = named(
  'CreatedApiKey',
  Type.Object({
    ...ApiKey.properties,
    key: Type.String({ description: 'The key itself, `phk_…`. Only its hash is kept, so it is shown here once.' }),
  }),
)
export type CreatedApiKey = Static<typeof CreatedApiKey>

export const ApiKeyPage = Page(ApiKey)

export const CreateApiKey = Type.Object(
  {
    name: Text({ minLength: 1, maxLength: limits.nameLengthMax, examples: ['billing service'] }),
    role: Type.Enum([...apiKeyRoles], { type: 'string' }),
    tenant: Type.Optional(TenantId({ description: 'Required for the role `tenant`, and only there' })),
    permissions: Type.Optional(permissions),
    expires_at: Type.Optional(GivenTime('When it stops working. Never when left out.')),
  },
  { additionalProperties: false },
)
export type CreateApiKey = Static<typeof CreateApiKey>
