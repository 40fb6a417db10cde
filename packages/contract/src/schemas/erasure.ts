/** Erasures: the content of events goes, and the fact of their delivery stays. */
import { type Static, Type } from 'typebox'
import { limits } from '../limits.ts'
import { erasureStates } from '../states.ts'
import { Id } from './id-text.ts'
import { Nullable } from './nullable.ts'
import { Page } from './page.ts'
import { businessKeys } from './publish.ts'
import { named } from './reference.ts'
import { TenantId } from './tenant.ts'
import { Text, Time } from './text.ts'

const count = (description: string) => Type.Integer({ minimum: 0, description })

export const Erasure = named(
  'Erasure',
  Type.Object(
    {
      id: Id('erasure'),
      tenant: TenantId(),
      key_name: Nullable(
        Type.String({ description: 'The business key it is about; null for all events of the tenant' }),
      ),
      state: Type.Enum([...erasureStates], { type: 'string' }),
      actor: Type.String({ description: 'Who asked for it' }),
      reason: Type.String(),
      events: count('Events that hold nothing any more'),
      deliveries: count('Their deliveries, which are kept and marked'),
      attempts: count('Their attempts, of which headers, bodies and reasons are gone'),
      canceled: count('Deliveries that were still to be made and were called off'),
      created_at: Time('What was published until then is part of it'),
      finished_at: Nullable(Time()),
    },
    {
      description:
        'What takes the content of events away. It does not hold the value of the business key when it is done.',
    },
  ),
)
export type Erasure = Static<typeof Erasure>

export const ErasurePage = Page(Erasure)

export const CreateErasure = Type.Object(
  {
    tenant: TenantId({ description: 'Whose events' }),
    key: Type.Optional(
      Type.Unsafe<Record<string, string>>({
        ...businessKeys,
        minProperties: 1,
        maxProperties: 1,
        description: 'Only events with this business key. All of the tenant when left out.',
        examples: [{ order: 'ord_42' }],
      }),
    ),
    reason: Text({
      minLength: 1,
      maxLength: limits.descriptionLengthMax,
      description: 'Why. It is kept, so write nothing of what is to be erased.',
      examples: ['request 2026-118'],
    }),
  },
  { additionalProperties: false },
)
export type CreateErasure = Static<typeof CreateErasure>
