import type { EventType as WireEventType, EventTypeVersion as WireEventTypeVersion } from '@posthorn/contract'
import type { EventType, EventTypeVersion } from '@posthorn/engine'

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
  return {
    event_type: row.eventType,
    version: row.version,
    // Written by `createEventTypeVersion`, which takes objects and arrays only.
    schema: row.schema as WireEventTypeVersion['schema'],
    examples: row.examples as WireEventTypeVersion['examples'],
    created_at: row.createdAt.toISOString(),
  }
}
