/** The audit log: who changed, revealed, resent or replayed what, and why. */
import { type Static, Type } from 'typebox'
import { auditActions } from '../states.ts'
import { Id } from './id-text.ts'
import { Moment } from './moment.ts'
import { Nullable } from './nullable.ts'
import { Page, pageParameters } from './page.ts'
import { named } from './reference.ts'
import { TenantId } from './tenant.ts'
import { Text, Time } from './text.ts'

const valuesMax = 50
const idLengthMax = 128
const action = Type.Enum([...auditActions], { type: 'string' })

export const AuditEntry = named(
  'AuditEntry',
  Type.Object(
    {
      id: Id('audit_entry'),
      tenant: Nullable(TenantId({ description: 'Whose it was; null for what belongs to no tenant' })),
      actor: Type.String({ description: 'The API key (`key_…`) or portal session (`ses_…`) that asked' }),
      on_behalf_of: Nullable(Type.String({ description: 'Who used it, if that was said when it was made' })),
      action,
      target: Type.String({ description: 'The id of what was changed, shown or sent' }),
      reason: Nullable(Type.String({ description: 'Why, in their words' })),
      request_id: Nullable(Type.String({ description: 'The header `x-request-id` of the answer' })),
      created_at: Time(),
    },
    { description: 'Something that somebody did. It never changes, and cannot be taken away while it is young.' },
  ),
)
export type AuditEntry = Static<typeof AuditEntry>

export const AuditEntryPage = Page(AuditEntry)

export const AuditQuery = Type.Object(
  {
    tenant: Type.Optional(Type.Array(TenantId(), { maxItems: valuesMax, description: 'Repeat for several' })),
    actor: Type.Optional(Type.Array(Text({ maxLength: idLengthMax }), { maxItems: valuesMax })),
    action: Type.Optional(Type.Array(action, { maxItems: valuesMax })),
    target: Type.Optional(Type.Array(Text({ maxLength: idLengthMax }), { maxItems: valuesMax })),
    since: Type.Optional(Moment('Not older: RFC 3339, a date (midnight UTC), or how long ago')),
    until: Type.Optional(Moment('Older than this: RFC 3339, a date (midnight UTC), or how long ago')),
    ...pageParameters,
  },
  { additionalProperties: false },
)
export type AuditQuery = Static<typeof AuditQuery>
