import { type Static, Type } from 'typebox'
import { attemptTriggers, failureCodes } from '../states.ts'
import { Id } from './id-text.ts'
import { Nullable } from './nullable.ts'
import { Page, pageParameters } from './page.ts'
import { named } from './reference.ts'
import { TenantId } from './tenant.ts'
import { Texts, Time } from './text.ts'

const milliseconds = Type.Number({ minimum: 0 })

export const Attempt = named(
  'Attempt',
  Type.Object(
    {
      id: Id('attempt'),
      tenant: TenantId(),
      delivery_id: Id('delivery'),
      event_id: Id('event'),
      subscription_id: Id('subscription'),
      number: Type.Integer({ minimum: 1 }),
      trigger: Type.Enum([...attemptTriggers], { type: 'string' }),
      actor: Nullable(
        Type.String({ description: 'Who asked for it. A customer is not told which person of the operator it was' }),
      ),
      reason: Nullable(Type.String({ description: 'Why, in their words; likewise' })),
      started_at: Time(),
      erased_at: Nullable(Time('When headers, bodies and reason were taken away')),
      request: Type.Object({
        method: Type.String(),
        url: Type.String(),
        headers: Texts({
          description:
            'Credentials are redacted; the signature, and headers that sound like credentials, for readers who may not see secrets',
        }),
      }),
      remote_address: Nullable(Type.String({ description: 'The address that was connected to' })),
      response: Nullable(
        Type.Object({
          status: Type.Integer(),
          headers: Texts({
            description:
              'For readers who may not see payloads, all but those that speak of the answer itself are redacted',
          }),
          body: Nullable(Type.String({ description: 'Read as UTF-8; null for readers who may not see payloads' })),
          truncated: Type.Boolean({ description: 'There was more, which is not kept' }),
        }),
      ),
      failure_code: Nullable(
        Type.Enum([...failureCodes], { type: 'string', description: 'Why it failed; null after a 2xx' }),
      ),
      failure_detail: Nullable(Type.String()),
      timings: Type.Object({
        wait_ms: Type.Number({ minimum: 0, description: 'From due to sent: our part' }),
        dns_ms: Nullable(milliseconds),
        connect_ms: Nullable(milliseconds),
        tls_ms: Nullable(milliseconds),
        first_byte_ms: Nullable(milliseconds),
        total_ms: milliseconds,
      }),
    },
    { description: 'One HTTP request made for a delivery' },
  ),
)
export type Attempt = Static<typeof Attempt>

const page = Page(Attempt)

/** The body is the same in every attempt of a delivery, unless its form or its transform was changed, so it stands once beside them. */
export const AttemptPage = named(
  'AttemptPage',
  Type.Object({
    ...page.properties,
    request_body: Nullable(
      Type.String({
        description:
          'The body of the newest attempt here, and of all that have the same headers `posthorn-payload-format` (none is the form `standard`) and `content-digest`; null for keys that may not see payloads, and when what a transform made then cannot be made again',
      }),
    ),
  }),
)
export type AttemptPage = Static<typeof AttemptPage>

export const CurlCommand = named(
  'CurlCommand',
  Type.Object(
    {
      command: Type.String({ description: 'For a POSIX shell', examples: ["printf '%s' '{}' | curl …"] }),
      attempt_number: Type.Integer({ minimum: 1, description: 'The attempt whose request it is' }),
      signed_at: Time('Receivers allow five minutes from then'),
      left_out_headers: Type.Array(Type.String(), { description: 'Credentials, which are shown nowhere' }),
    },
    { description: 'A request of ours as a command' },
  ),
)
export type CurlCommand = Static<typeof CurlCommand>

export const AttemptQuery = Type.Object(pageParameters, { additionalProperties: false })
export type AttemptQuery = Static<typeof AttemptQuery>
