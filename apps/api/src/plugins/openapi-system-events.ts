/** The section `webhooks` of the OpenAPI document: what Posthorn itself sends to the operator's tenant. */
import { systemEvents, systemEventTypes } from '@posthorn/contract'

const header = (name: string, description: string, example: string) => ({
  name,
  in: 'header',
  required: true,
  description,
  schema: { type: 'string' },
  example,
})

const parameters = [
  header('webhook-id', 'The same for every attempt: handle each id once', 'evt_01k2z0zq3g7f5t9m1w8x4y6r2c'),
  header('webhook-timestamp', 'Unix seconds of this attempt; refuse what is older than five minutes', '1764115200'),
  header(
    'webhook-signature',
    'Signatures of `{webhook-id}.{webhook-timestamp}.{body}` (Standard Webhooks 1.0)',
    'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  ),
]

const responses = {
  '2XX': { description: 'Accepted: the delivery is done' },
  '410': { description: 'No longer wanted: the subscription is disabled' },
  '429': { description: 'Too fast: the subscription slows down, by `Retry-After` where it is given' },
  default: { description: 'Tried again by the schedule; redirects are not followed' },
}

export function systemEventPaths(): Record<string, unknown> {
  return Object.fromEntries(
    systemEventTypes.map((type) => {
      const { description, schema, example } = systemEvents[type]
      const body = { type, timestamp: '2026-11-23T14:03:00.000Z', data: example }
      const post = {
        operationId: `on${type.replaceAll(/(?:^|[._])(\w)/g, (_all, letter: string) => letter.toUpperCase())}`,
        summary: type,
        description,
        tags: ['System events'],
        security: [],
        parameters,
        requestBody: {
          required: true,
          content: {
            'application/json': {
              schema: {
                type: 'object',
                required: ['type', 'timestamp', 'data'],
                properties: { type: { const: type }, timestamp: { type: 'string', format: 'date-time' }, data: schema },
              },
              examples: { example: { value: body } },
            },
          },
        },
        responses,
      }
      return [type, { post }]
    }),
  )
}
