import { type Static, Type } from 'typebox'
import { form } from '../forms.ts'
import { limits } from '../limits.ts'
import { Nullable } from './nullable.ts'
import { Page } from './page.ts'
import { named, reference } from './reference.ts'
import { Metadata, Text, Time } from './text.ts'

const contactsMax = 20
const emailLengthMax = 254
/** Something before and after one `@`. Whether mail arrives there, only mail can tell. */
const emailPattern = form(
  '^[^\\u0000-\\u0020\\u007f@\\ud800-\\udfff]+@[^\\u0000-\\u0020\\u007f@\\ud800-\\udfff]+$',
  'must be an e-mail address, such as ops@acme.example',
)

/** JSON-Schema pattern of a tenant's id: the operator's own id for that customer. */
export const tenantIdPattern = form(
  '^[A-Za-z0-9_.:@|-]{1,128}$',
  'must be the id of a tenant: 1 to 128 letters, digits and _ . : @ | -, such as acme',
)

export function TenantId(options: { description?: string } = {}) {
  return Type.String({ pattern: tenantIdPattern, examples: ['acme'], ...options })
}

/** Somebody to tell when a tenant's deliveries fail. */
export const Contact = named(
  'Contact',
  Type.Object(
    {
      email: Type.String({ maxLength: emailLengthMax, pattern: emailPattern, examples: ['ops@acme.example'] }),
      name: Type.Optional(Text({ maxLength: limits.nameLengthMax })),
    },
    { additionalProperties: false },
  ),
)
export type Contact = Static<typeof Contact>

export const contacts = Type.Array(reference(Contact), { maxItems: contactsMax })

export const Tenant = named(
  'Tenant',
  Type.Object(
    {
      id: TenantId({ description: 'Your own id for this customer' }),
      name: Nullable(Type.String()),
      metadata: Metadata(),
      contacts: Type.Array(reference(Contact)),
      retention_days: Nullable(
        Type.Integer({ description: 'After so many days the content of its events goes; null: with those of all' }),
      ),
      created_at: Time(),
      updated_at: Time(),
    },
    { description: 'One of your customers' },
  ),
)
export type Tenant = Static<typeof Tenant>

export const TenantPage = Page(Tenant)

/** What is left out is cleared. */
export const PutTenant = Type.Object(
  {
    name: Type.Optional(Nullable(Text({ maxLength: limits.nameLengthMax, examples: ['Acme Ltd'] }))),
    metadata: Type.Optional(Metadata()),
    contacts: Type.Optional(contacts),
    retention_days: Type.Optional(
      Nullable(
        Type.Integer({
          minimum: 1,
          maximum: limits.retentionDaysMax,
          description:
            'After so many days the content of its events is taken away, where that is sooner than the installation does it. The fact of their delivery stays. Null or left out: as the installation keeps it.',
        }),
      ),
    ),
  },
  { additionalProperties: false },
)
export type PutTenant = Static<typeof PutTenant>
