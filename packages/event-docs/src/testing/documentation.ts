/** Documentation for tests: event types by their schemas, with the examples that are given. */
import type { EventTypeVersion } from '@posthorn/contract'
import { createDocumentation, type Documentation } from '../documentation.ts'
import { type DocsSource, readSource, sourceFormat } from '../source.ts'
import { comparisonOf, exampleMeta } from './many-event-types.ts'

export type GivenVersion = { schema: Record<string, unknown>; examples?: readonly unknown[] }
export type GivenEventType = {
  description?: string | null
  group?: string | null
  status?: 'active' | 'archived'
  createdAt?: string
  versions?: readonly GivenVersion[]
}

/** Much shorter than what a page shows, so that tests can write it down. */
export const testMeta: DocsSource['meta'] = {
  ...exampleMeta,
  egress_addresses: ['203.0.113.7', '2001:db8::/48'],
  signature: { ...exampleMeta.signature, schemes: ['v1', 'v1a'] },
  delivery: { ...exampleMeta.delivery, retry_schedule_seconds: [5, 300] },
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
  return {
    event_type: name,
    version: at + 1,
    schema,
    examples: [...examples],
    comparison: comparisonOf(before, schema, at),
    created_at: dayOf(30 + at),
  }
}
