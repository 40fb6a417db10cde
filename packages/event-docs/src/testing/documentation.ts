/** Documentation for tests: event types by their schemas, with the examples that are given. */
import type { EventTypeVersion, SchemaComparison } from '@posthorn/contract'
import { schemaChanges } from '@posthorn/contract'
import { createDocumentation, type Documentation } from '../documentation.ts'
import { type DocsSource, readSource, sourceFormat } from '../source.ts'

export type GivenVersion = { schema: Record<string, unknown>; examples?: readonly unknown[] }
export type GivenEventType = {
  description?: string | null
  group?: string | null
  status?: 'active' | 'archived'
  createdAt?: string
  versions?: readonly GivenVersion[]
}

export const testMeta: DocsSource['meta'] = {
  version: '0.1.0',
  egress_addresses: ['203.0.113.7', '2001:db8::/48'],
  event_docs_url: null,
  signature: {
    standard: 'https://www.standardwebhooks.com',
    headers: { id: 'webhook-id', timestamp: 'webhook-timestamp', signature: 'webhook-signature' },
    schemes: ['v1', 'v1a'],
    tolerance_seconds: 300,
  },
  delivery: {
    method: 'POST',
    retry_schedule_seconds: [5, 300],
    timeout_ms: 15_000,
    disabled_after_hours: 120,
    payload_formats: ['standard', 'cloudevents-structured', 'cloudevents-binary', 'raw'],
  },
  limits: { url_length_max: 2048, event_data_bytes_max: 262_144 },
}

/** A day after the other, from the first of January. */
function dayOf(index: number): string {
  return new Date(Date.UTC(2026, 0, 1 + index)).toISOString()
}

export function documentationOf(
  eventTypes: Readonly<Record<string, GivenEventType>>,
  given: Partial<Pick<Documentation, 'baseUrl' | 'branding'>> & { meta?: Partial<DocsSource['meta']> } = {},
): Documentation {
  const source = readSource({
    format: sourceFormat,
    meta: { ...testMeta, ...given.meta },
    event_types: Object.entries(eventTypes).map(([name, one], index) => documented(name, one, index)),
  })
  return createDocumentation({
    source,
    branding: given.branding ?? { name: 'Acme' },
    baseUrl: given.baseUrl ?? 'https://docs.acme.example/events',
  })
}

function documented(name: string, given: GivenEventType, index: number) {
  const { versions = [] } = given
  const createdAt = given.createdAt ?? dayOf(index)
  return {
    event_type: {
      name,
      description: given.description ?? null,
      group: given.group ?? null,
      status: given.status ?? 'active',
      validation: 'off',
      key_pointers: {},
      latest_version: versions.length,
      created_at: createdAt,
      updated_at: createdAt,
    },
    versions: versions.map((version, at) => versionOf(name, { ...version, at, before: versions[at - 1]?.schema })),
  }
}

function versionOf(
  name: string,
  { schema, examples = [], at, before }: GivenVersion & { at: number; before: unknown },
): EventTypeVersion {
  const comparison: SchemaComparison =
    before === undefined
      ? { compared_with: null, verdict: 'safe', changes: [], truncated: false }
      : { compared_with: at, ...schemaChanges(before, schema) }
  return {
    event_type: name,
    version: at + 1,
    schema,
    examples: [...examples],
    comparison,
    created_at: dayOf(30 + at),
  }
}
