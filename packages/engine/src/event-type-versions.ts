/**
 * Versions of event types' schemas. A version never changes, and is stored with what it changed for receivers, so that
 * they are told later what its author was told.
 */
import { isReservedEventType, Problem, type SchemaChanges, schemaChanges } from '@posthorn/contract'
import type { Schemas } from '@posthorn/json-schema'
import { writeAudit } from './audit.ts'
import type { Database } from './db/database.ts'
import type { EventType, EventTypeVersion, Prisma } from './db/generated/client.ts'
import { type Tx, transaction } from './db/transaction.ts'
import { eventTypeNotFound, isEventTypeName } from './event-type-names.ts'
import { eventTypeReserved } from './reserved-event-types.ts'

export type VersionInput = { schema: Readonly<Record<string, unknown>>; examples: readonly unknown[] }

/** What a version changes for receivers, against the one before. The first has none before it, and changes nothing. */
export type VersionComparison = SchemaChanges & { comparedWith: number | null }

/** The highest number of a version, which the column holds. */
const versionMax = 2 ** 31 - 1

/**
 * Adds a version to an event type's schema. From now on published data is held to it.
 *
 * @throws Problem `event_type_not_found`, `event_type_reserved`, `invalid_schema`
 */
export async function createEventTypeVersion(
  parts: { db: Database; schemas: Schemas },
  name: string,
  input: VersionInput,
): Promise<EventTypeVersion> {
  checkVersion(parts.schemas, name, input)
  return transaction(parts.db, async (tx) => {
    await writeAudit(tx, parts.db, { target: name, tenantId: null })
    return addVersion(tx, name, input)
  })
}

/**
 * Tells what a version would change, and stores nothing.
 *
 * @throws Problem as `createEventTypeVersion`
 */
export async function compareEventTypeVersion(
  parts: { db: Database; schemas: Schemas },
  name: string,
  input: VersionInput,
): Promise<{ version: number; comparison: VersionComparison }> {
  checkVersion(parts.schemas, name, input)
  const latest = await parts.db.prisma.eventTypeVersion.findFirst({
    where: { eventType: name },
    orderBy: { version: 'desc' },
  })
  if (latest === null) await requireEventType(parts.db, name)
  return { version: (latest?.version ?? 0) + 1, comparison: comparisonOf(latest, input.schema) }
}

/** @throws Problem `event_type_not_found`, `event_type_version_not_found` */
export async function getEventTypeVersion(db: Database, name: string, version: number): Promise<EventTypeVersion> {
  if (!isEventTypeName(name)) throw eventTypeNotFound(name)
  const row =
    version >= 1 && version <= versionMax
      ? await db.prisma.eventTypeVersion.findUnique({ where: { eventType_version: { eventType: name, version } } })
      : null
  if (row !== null) return row
  await requireEventType(db, name)
  throw new Problem('event_type_version_not_found', `The event type ${JSON.stringify(name)} has no version ${version}.`)
}

/** The comparison that a version was stored with; null for those from before there were any. */
export function storedComparison({ comparison }: EventTypeVersion): VersionComparison | null {
  // Written by `addVersion` and by nobody else.
  return comparison as VersionComparison | null
}

/**
 * The next version. Two callers at once get two numbers: the second waits for the row, and is compared with the first.
 *
 * @throws Problem `event_type_not_found`
 */
export async function addVersion(tx: Tx, name: string, input: VersionInput): Promise<EventTypeVersion> {
  const { latestVersion: version } = await takeNextVersion(tx, name)
  const before = await tx.eventTypeVersion.findFirst({ where: { eventType: name }, orderBy: { version: 'desc' } })
  return tx.eventTypeVersion.create({
    data: {
      eventType: name,
      version,
      // Parsed JSON; the column is `json`, which keeps every escape and the order of members.
      schema: input.schema as Prisma.InputJsonObject,
      examples: [...input.examples] as Prisma.InputJsonArray,
      comparison: comparisonOf(before, input.schema),
    },
  })
}

function comparisonOf(before: EventTypeVersion | null, schema: unknown): VersionComparison {
  if (before === null) return { comparedWith: null, verdict: 'safe', changes: [], truncated: false }
  return { comparedWith: before.version, ...schemaChanges(before.schema, schema) }
}

function checkVersion(schemas: Schemas, name: string, input: VersionInput): void {
  if (!isEventTypeName(name)) throw eventTypeNotFound(name)
  if (isReservedEventType(name)) throw eventTypeReserved(name, '{name}')
  schemas.compile(input.schema, input.examples)
}

async function requireEventType(db: Database, name: string): Promise<void> {
  const known = await db.prisma.eventType.findUnique({ where: { name }, select: { name: true } })
  if (known === null) throw eventTypeNotFound(name)
}

async function takeNextVersion(tx: Tx, name: string): Promise<EventType> {
  const { count } = await tx.eventType.updateMany({ where: { name }, data: { latestVersion: { increment: 1 } } })
  if (count === 0) throw eventTypeNotFound(name)
  return tx.eventType.findUniqueOrThrow({ where: { name } })
}
