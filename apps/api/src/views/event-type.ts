import type {
  EventTypeImport,
  SchemaComparison,
  EventType as WireEventType,
  EventTypeVersion as WireEventTypeVersion,
} from '@posthorn/contract'
import {
  type EventType,
  type EventTypeVersion,
  type Import,
  storedComparison,
  type VersionComparison,
} from '@posthorn/engine'

export function eventTypeView(eventType: EventType): WireEventType {
  return {
    name: eventType.name,
    description: eventType.description,
    group: eventType.group,
    // The columns' CHECKs are held to the lists of words by a test.
    status: eventType.state as WireEventType['status'],
    validation: eventType.validation as WireEventType['validation'],
    // Written by `putEventType`, which takes these only.
    key_pointers: eventType.keyPointers as WireEventType['key_pointers'],
    latest_version: eventType.latestVersion,
    created_at: eventType.createdAt.toISOString(),
    updated_at: eventType.updatedAt.toISOString(),
  }
}

export function eventTypeVersionView(row: EventTypeVersion): WireEventTypeVersion {
  const comparison = storedComparison(row)
  return {
    event_type: row.eventType,
    version: row.version,
    // Written by `createEventTypeVersion`, which takes objects and arrays only.
    schema: row.schema as WireEventTypeVersion['schema'],
    examples: row.examples as WireEventTypeVersion['examples'],
    comparison: comparison && comparisonView(comparison),
    created_at: row.createdAt.toISOString(),
  }
}

export function comparisonView({ comparedWith, ...changes }: VersionComparison): SchemaComparison {
  return { compared_with: comparedWith, ...changes }
}

export function importView({ types, leftOut }: Import, dryRun: boolean): EventTypeImport {
  return {
    dry_run: dryRun,
    data: types.map(({ schemaPointer, comparison, ...type }) => ({
      ...type,
      schema_pointer: schemaPointer,
      comparison: comparison && comparisonView(comparison),
    })),
    left_out: leftOut,
  }
}
