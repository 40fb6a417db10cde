/** What everybody may know of this installation. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { limits, Meta, payloadFormats, reference, signatureSchemes } from '@posthorn/contract'
import { defaultRetryScheduleSeconds, timeoutMsDefault, version } from '@posthorn/engine'
import type { RouteParts } from '../parts.ts'

const cacheSeconds = 300
/** The tolerance of every library that verifies by Standard Webhooks. */
const toleranceSeconds = 300

/** Public: whoever has to let requests in has no key, and nothing here is a secret. */
export const metaRoutes: FastifyPluginAsyncTypebox<RouteParts> = async (app, { egressAddresses, disableAfterMs }) => {
  app.get(
    '/meta',
    {
      schema: {
        operationId: 'getMeta',
        summary: 'Read the version, the limits, and where requests come from',
        description: 'Without an API key. The addresses are those that the operator has named (`POSTHORN_EGRESS_IPS`).',
        tags: ['Health'],
        security: [],
        response: { 200: reference(Meta) },
      },
    },
    async (_request, reply) => {
      reply.header('cache-control', `public, max-age=${cacheSeconds}`)
      return {
        version,
        egress_addresses: [...egressAddresses],
        signature: {
          standard: 'https://www.standardwebhooks.com',
          headers: { id: 'webhook-id', timestamp: 'webhook-timestamp', signature: 'webhook-signature' },
          schemes: [...signatureSchemes],
          tolerance_seconds: toleranceSeconds,
        },
        delivery: {
          method: 'POST',
          retry_schedule_seconds: [...defaultRetryScheduleSeconds],
          timeout_ms: timeoutMsDefault,
          disabled_after_hours: disableAfterMs / 3_600_000,
          payload_formats: [...payloadFormats],
        },
        limits: Object.fromEntries(Object.entries(limits).map(([name, limit]) => [wireName(name), limit])),
      }
    },
  )
}

function wireName(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}
