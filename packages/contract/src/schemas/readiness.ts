import { type Static, Type } from 'typebox'
import { named } from './reference.ts'

export const Health = named('Health', Type.Object({ status: Type.Literal('ok') }))

export const Readiness = named(
  'Readiness',
  Type.Object(
    {
      ready: Type.Boolean({ description: 'Whether requests can be served' }),
      checks: Type.Array(
        Type.Object({
          name: Type.String({ examples: ['database'] }),
          ok: Type.Boolean(),
          required: Type.Boolean({ description: 'Whether a failure makes the process not ready' }),
          detail: Type.Optional(Type.String()),
        }),
      ),
    },
    { description: 'What this process needs in order to work, looked at now' },
  ),
)
export type Readiness = Static<typeof Readiness>
