/**
 * All event types that customers may receive, with every version of their schemas: what the event documentation is made
 * from. Posthorn's own event types are for the operator and left out.
 */
import { isReservedEventType } from '@posthorn/contract'
import type { Database } from './db/database.ts'
import type { EventType, EventTypeVersion } from './db/generated/client.ts'

/** By name, with their versions, the oldest first. */
export type EventCatalogue = readonly {
  readonly eventType: EventType
  readonly versions: readonly EventTypeVersion[]
}[]

/** Read at once: so many schemas of 64 KiB are 6 MiB. */
const versionsAtOnce = 100

/**
 * A text that changes whenever the catalogue does: versions are only ever added, and whatever else is known of an event
 * type is changed together with `updated_at`.
 */
export async function eventCatalogueStamp({ prisma }: Database): Promise<string> {
  const [eventTypes, versions] = await prisma.$transaction([
    prisma.eventType.aggregate({ _count: true, _max: { updatedAt: true } }),
    prisma.eventTypeVersion.count(),
  ])
  return `${eventTypes._count} ${eventTypes._max.updatedAt?.toISOString() ?? ''} ${versions}`
}

export async function readEventCatalogue({ prisma }: Database): Promise<EventCatalogue> {
  const eventTypes = await prisma.eventType.findMany({ orderBy: { name: 'asc' } })
  const versions = new Map<string, EventTypeVersion[]>()
  for (let cursor: EventTypeVersion | undefined, more = true; more; ) {
    const rows: EventTypeVersion[] = await prisma.eventTypeVersion.findMany({
      orderBy: [{ eventType: 'asc' }, { version: 'asc' }],
      take: versionsAtOnce,
      ...(cursor === undefined
        ? {}
        : { skip: 1, cursor: { eventType_version: { eventType: cursor.eventType, version: cursor.version } } }),
    })
    for (const row of rows) versions.set(row.eventType, [...(versions.get(row.eventType) ?? []), row])
    cursor = rows.at(-1)
    more = rows.length === versionsAtOnce
  }
  return eventTypes
    .filter(({ name }) => !isReservedEventType(name))
    .map((eventType) => ({ eventType, versions: versions.get(eventType.name) ?? [] }))
}
