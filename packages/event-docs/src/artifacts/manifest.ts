/** `webhooks.json`: all that a program must know to receive these events, and where everything else is. */
import { goneStatus, headerFacts, jitterPartMax, patienceStatuses, retryAfterSecondsMax } from '../delivery-facts.ts'
import type { Documentation } from '../documentation.ts'
import { addresses, whole } from './addresses.ts'
import { ipRanges } from './ip-ranges.ts'

/** Changes when a program that read it before can no longer do so. */
const manifestFormat = 'posthorn-manifest/1'

/** Of all limits, those that a receiver or its customer meets. */
const limitsOfReceivers = [
  'event_data_bytes_max',
  'json_depth_max',
  'url_length_max',
  'timeout_ms_min',
  'timeout_ms_max',
  'custom_headers_max',
  'custom_header_value_length_max',
  'max_in_flight_max',
  'rate_limit_per_second_max',
  'event_types_per_subscription_max',
  'subscriptions_per_tenant_max',
  'signing_keys_max',
  'overlap_seconds_max',
  'overlap_seconds_default',
]

export function manifestDocument(documentation: Documentation) {
  const { branding, source } = documentation
  const { signature, delivery, limits, version } = source.meta
  const url = (path: string) => whole(documentation, path)
  return {
    format: manifestFormat,
    product: { name: branding.name, software: 'Posthorn', version, support: branding.support ?? null },
    envelope: {
      members: ['type', 'timestamp', 'data'],
      content_type: 'application/json',
      schema_url: url(addresses.envelope),
      formats: delivery.payload_formats,
      format_default: 'standard',
    },
    signature: {
      standard: signature.standard,
      schemes: signature.schemes,
      scheme_default: 'v1',
      headers: signature.headers,
      tolerance_seconds: signature.tolerance_seconds,
      signed_content: '{id}.{timestamp}.{body}',
      encoding: 'base64',
      secret_prefix: 'whsec_',
      public_key_prefix: 'whpk_',
      // Every subscription has keys of its own.
      keys_url: null,
      keys: 'Each subscription has its own: the portal and the API show them.',
      test_vectors_url: url(addresses.testVectors),
    },
    headers: headerFacts.map(({ name, protection, always, description }) => ({
      name,
      signed: protection === 'signed',
      always,
      description,
    })),
    delivery: {
      method: delivery.method,
      guarantee: 'at-least-once',
      ordering: 'none, unless the subscription is ordered',
      timeout_ms: delivery.timeout_ms,
      attempts_max: delivery.retry_schedule_seconds.length + 1,
      retry_schedule_seconds: delivery.retry_schedule_seconds,
      jitter_part_max: jitterPartMax,
      success_statuses: '200-299',
      redirects_followed: false,
      final_statuses: [goneStatus],
      patience_statuses: patienceStatuses,
      retry_after_seconds_max: retryAfterSecondsMax,
    },
    disabling: { statuses: [goneStatus], failing_hours: delivery.disabled_after_hours },
    limits: Object.fromEntries(Object.entries(limits).filter(([name]) => limitsOfReceivers.includes(name))),
    ip_ranges: ipRanges(documentation).prefixes,
    urls: {
      docs: `${documentation.baseUrl}/`,
      portal: branding.portal ?? null,
      events: url(addresses.schemaIndex),
      openapi: url(addresses.openapi),
      asyncapi: url(addresses.asyncapi),
      typescript: url(addresses.typescriptArchive),
      ip_ranges: url(addresses.ipRanges),
      listen: url(addresses.listen),
      changelog: url(addresses.changelog),
      feed: url(addresses.feed),
      summary: url(addresses.summary),
    },
  }
}
