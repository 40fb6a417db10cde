/**
 * Portal sessions: what a customer's browser is given for a while, so that it may see and do what the operator has chosen,
 * of one tenant.
 */
import { type Static, Type } from 'typebox'
import { form } from '../forms.ts'
import { limits } from '../limits.ts'
import { portalCapabilities, portalThemeModes } from '../states.ts'
import { Id } from './id-text.ts'
import { Nullable } from './nullable.ts'
import { Page } from './page.ts'
import { named, reference } from './reference.ts'
import { TenantId } from './tenant.ts'
import { Text, Time } from './text.ts'

/** JSON-Schema pattern of the token of a portal session: `phs_` and 196 bits in base62. */
export const portalTokenPattern = '^phs_[A-Za-z0-9]{33}$'

const radiusPxMax = 32

/** Values and no style sheet: what is shown to a customer must not be able to show anything else. */
export const PortalTheme = named(
  'PortalTheme',
  Type.Object(
    {
      mode: Type.Optional(Type.Enum([...portalThemeModes], { type: 'string' })),
      accent: Type.Optional(
        Type.String({ pattern: form('^#[0-9a-fA-F]{6}$', 'must be a colour such as #0f62fe'), examples: ['#0f62fe'] }),
      ),
      radius_px: Type.Optional(Type.Integer({ minimum: 0, maximum: radiusPxMax })),
      font: Type.Optional(
        Type.String({
          pattern: form(
            '^[A-Za-z0-9 -]{1,64}$',
            'must be the name of a font family: 1 to 64 letters, digits, spaces and -, such as Inter',
          ),
          description: 'Name of a font family',
          examples: ['Inter'],
        }),
      ),
      logo_url: Type.Optional(
        Type.String({
          pattern: form(
            '^https://[!#-;=?-Z_a-z~]+$',
            'must be a URL that begins with https://, such as https://saas.example/logo.svg',
          ),
          maxLength: limits.urlLengthMax,
          description: 'An image, by https',
          examples: ['https://saas.example/logo.svg'],
        }),
      ),
    },
    { additionalProperties: false, description: 'How the portal looks' },
  ),
)
export type PortalTheme = Static<typeof PortalTheme>

export const PortalCapabilities = Type.Array(Type.Enum([...portalCapabilities], { type: 'string' }), {
  uniqueItems: true,
  minItems: 1,
  maxItems: portalCapabilities.length,
  description: 'What it may see and do. Each is only of the one tenant.',
  examples: [['subscriptions:read', 'subscriptions:write', 'deliveries:read']],
})

export const PortalSession = named(
  'PortalSession',
  Type.Object(
    {
      id: Id('portal_session'),
      tenant: TenantId({ description: 'The one tenant that it may see' }),
      capabilities: PortalCapabilities,
      theme: reference(PortalTheme),
      on_behalf_of: Nullable(Type.String({ description: 'Who uses it, in the words of who made it' })),
      created_by: Id('api_key', { description: 'The API key that it was made with' }),
      created_at: Time(),
      expires_at: Time(),
      revoked_at: Nullable(Time()),
    },
    { description: 'What a browser is given for a while, to see and do things of one tenant' },
  ),
)
export type PortalSession = Static<typeof PortalSession>

/** The answer to a create: the only time that the token is shown. */
export const CreatedPortalSession = named(
  'CreatedPortalSession',
  Type.Object({
    ...PortalSession.properties,
    url: Type.String({
      description:
        'Where to send the customer. The token stands behind the `#`, which browsers send to nobody, so no log keeps it.',
    }),
    token: Type.String({ description: 'The token itself, `phs_…`. Only its hash is kept, so it is shown here once.' }),
  }),
)
export type CreatedPortalSession = Static<typeof CreatedPortalSession>

export const PortalSessionPage = Page(PortalSession)

export const CreatePortalSession = Type.Object(
  {
    capabilities: PortalCapabilities,
    ttl_seconds: Type.Optional(
      Type.Integer({
        minimum: limits.portalSessionSecondsMin,
        maximum: limits.portalSessionSecondsMax,
        default: limits.portalSessionSecondsDefault,
        description: 'How long it lasts. Not longer than the API key that it is made with.',
      }),
    ),
    theme: Type.Optional(reference(PortalTheme)),
    on_behalf_of: Type.Optional(
      Text({
        minLength: 1,
        maxLength: limits.nameLengthMax,
        description: 'Who will use it: your own id or name of that person. The audit log says so.',
        examples: ['user_81'],
      }),
    ),
  },
  { additionalProperties: false },
)
export type CreatePortalSession = Static<typeof CreatePortalSession>
