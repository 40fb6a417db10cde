import { limits, type Meta, payloadFormats, signatureSchemes } from '@posthorn/contract'
import { defaultRetryScheduleSeconds, timeoutMsDefault, version } from '@posthorn/engine'
import type { RouteParts } from '../parts.ts'

/** The tolerance of every library that verifies by Standard Webhooks. */
const toleranceSeconds = 300

/** What everybody may know of this installation. */
export function metaView({
  egressAddresses,
  disableAfterMs,
  links,
}: Pick<RouteParts, 'egressAddresses' | 'disableAfterMs' | 'links'>): Meta {
  return {
    version,
    egress_addresses: [...egressAddresses],
    event_docs_url: links.eventDocsUrl,
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
}

function wireName(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}
