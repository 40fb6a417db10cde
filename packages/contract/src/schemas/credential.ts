/** What a request is made with, as the one who makes it sees it. */
import { type Static, Type } from 'typebox'
import { apiKeyRoles, credentialKinds } from '../states.ts'
import { Nullable } from './nullable.ts'
import { PortalCapabilities, PortalTheme } from './portal-session.ts'
import { named, reference } from './reference.ts'
import { TenantId } from './tenant.ts'
import { Time } from './text.ts'

export const Credential = named(
  'Credential',
  Type.Object(
    {
      kind: Type.Enum([...credentialKinds], { type: 'string' }),
      id: Type.String({ description: 'Of the API key or of the portal session' }),
      tenant: Nullable(TenantId({ description: 'The one tenant that it may see; null for all' })),
      role: Nullable(Type.Enum([...apiKeyRoles], { type: 'string', description: 'Of an API key' })),
      capabilities: Nullable(PortalCapabilities),
      permissions: Type.Array(Type.String(), { description: 'Everything that it may do, as refusals name it' }),
      on_behalf_of: Nullable(Type.String({ description: 'Who uses it, if it was said' })),
      theme: Nullable(reference(PortalTheme)),
      expires_at: Nullable(Time()),
    },
    { description: 'An API key or a portal session' },
  ),
)
export type Credential = Static<typeof Credential>
