/**
 * Kinds of events and their schemas. Event types belong to the installation, not to a tenant.
 */

import {
  type EventTypeState,
  eventTypeNamePattern,
  isReservedEventType,
  limits,
  Problem,
  type ValidationMode,
} from '@posthorn/contract'
import { writeAudit } from './audit.ts'
import type { Database } from './db/database.ts'
import type { EventType, EventTypeVersion, Prisma } from './db/generated/client.ts'
import { lockEventType } from './db/sql/lock-event-type.ts'
import { type Tx, transaction } from './db/transaction.ts'
import { type CheckSchema, checkWith, type Schemas } from './json-schema.ts'
import { isTimeAndNameKey, type Key, type Page, type PageRequest, planPage } from './paging.ts'
import type { Precondition } from './precondition.ts'
import { eventTypeReserved } from './reserved-event-types.ts'

export type { EventType, EventTypeVersion } from './db/generated/client.ts'

export type EventTypeInput = {
  description: string | null
  group: string | null
  state: EventTypeState
  validation: ValidationMode
}

const nameForm = new RegExp(eventTypeNamePattern, 'u')

/**
 * Makes an event type known, or replaces all that is known of it but its schemas.
 *
 * @param expect throws when the event type is not what the caller takes it for
 * @throws Problem `invalid_request`, `event_type_reserved`
 */
export async function putEventType(
  db: Database,
  name: string,
  input: EventTypeInput,
  expect: Precondition<EventType> = () => undefined,
): Promise<{ eventType: EventType; created: boolean }> {
  if (!isName(name)) {
    throw new Problem(
      'invalid_request',
      'The name of an event type is segments of letters, digits, _ and - with dots between them (invoice.paid), at most 128 characters.',
      { errors: [{ pointer: '/name', detail: `must match ${eventTypeNamePattern}` }] },
    )
  }
  if (isReservedEventType(name)) throw eventTypeReserved(name, '/name')
  return transaction(db, async (tx) => {
    const known = await lockEventType(tx, name)
    expect(known ? await tx.eventType.findUniqueOrThrow({ where: { name } }) : undefined)
    const { count } = await tx.eventType.createMany({ data: [{ name, ...input }], skipDuplicates: true })
    // Somebody else made it known between the two.
    if (!known && count === 0) expect(await tx.eventType.findUniqueOrThrow({ where: { name } }))
    await writeAudit(tx, db, { target: name, tenantId: null })
    return { eventType: await tx.eventType.update({ where: { name }, data: input }), created: count === 1 }
  })
}

/** @throws Problem `event_type_not_found` */
export async function getEventType(db: Database, name: string): Promise<EventType> {
  const eventType = isName(name) ? await db.prisma.eventType.findUnique({ where: { name } }) : null
  if (eventType === null) throw eventTypeNotFound(name)
  return eventType
}

/** By the time they became known, archived ones included. */
export async function listEventTypes(db: Database, request: PageRequest): Promise<Page<EventType>> {
  const plan = planPage('event_types', request, isTimeAndNameKey)
  const rows = await db.prisma.eventType.findMany({
    where: beyondEventType(plan.beyond, plan.order),
    orderBy: [{ createdAt: plan.order }, { name: plan.order }],
    take: plan.take,
  })
  return plan.page(rows, (eventType) => [eventType.createdAt.toISOString(), eventType.name])
}

/**
 * An archived event type can no longer be published. Its events, schemas and subscriptions stay.
 *
 * @throws Problem `event_type_not_found`, `event_type_reserved`
 */
export async function archiveEventType(db: Database, name: string): Promise<void> {
  if (isReservedEventType(name)) throw eventTypeReserved(name, '/name')
  if (!isName(name)) throw eventTypeNotFound(name)
  await transaction(db, async (tx) => {
    const { count } = await tx.eventType.updateMany({ where: { name }, data: { state: 'archived' } })
    if (count === 0) throw eventTypeNotFound(name)
    await writeAudit(tx, db, { target: name, tenantId: null })
  })
}

/**
 * Adds a version to an event type's schema. From now on published data is held to it.
 *
 * @throws Problem `event_type_not_found`, `event_type_reserved`, `invalid_schema`
 */
export async function createEventTypeVersion(
  parts: { db: Database; schemas: Schemas },
  name: string,
  input: { schema: Readonly<Record<string, unknown>>; examples: readonly unknown[] },
): Promise<EventTypeVersion> {
  if (!isName(name)) throw eventTypeNotFound(name)
  if (isReservedEventType(name)) throw eventTypeReserved(name, '/name')
  parts.schemas.compile(input.schema, input.examples)
  return transaction(parts.db, async (tx) => {
    const eventType = await takeNextVersion(tx, name)
    await writeAudit(tx, parts.db, { target: name, tenantId: null })
    return tx.eventTypeVersion.create({
      data: {
        eventType: name,
        version: eventType.latestVersion,
        // Parsed JSON; the column is `json`, which keeps every escape and the order of members.
        schema: input.schema as Prisma.InputJsonObject,
        examples: [...input.examples] as Prisma.InputJsonArray,
      },
    })
  })
}

/**
 * By their numbers.
 *
 * @throws Problem `event_type_not_found`
 */
export async function listEventTypeVersions(
  db: Database,
  name: string,
  request: PageRequest,
): Promise<Page<EventTypeVersion>> {
  const plan = planPage('event_type_versions', request, isVersionKey)
  await getEventType(db, name)
  const number = plan.beyond === undefined ? undefined : Number(plan.beyond[0])
  const beyond = number === undefined ? {} : { version: plan.order === 'asc' ? { gt: number } : { lt: number } }
  const rows = await db.prisma.eventTypeVersion.findMany({
    where: { eventType: name, ...beyond },
    orderBy: { version: plan.order },
    take: plan.take,
  })
  return plan.page(rows, (row) => [String(row.version)])
}

/** Checks data against the schemas in the database, for publishing. One a process: it keeps what it has compiled. */
export function createSchemaCheck({ db }: { db: Database }): CheckSchema {
  return checkWith(async (eventType, version) => {
    const row = await db.prisma.eventTypeVersion.findUnique({
      where: { eventType_version: { eventType, version } },
      select: { schema: true },
    })
    return row?.schema
  })
}

function isName(text: string): boolean {
  return text.length <= limits.nameLengthMax && nameForm.test(text)
}

function isVersionKey(key: Key): boolean {
  return key.length === 1 && /^[1-9]\d{0,8}$/.test(key[0])
}

/** Two callers at once get two numbers: the second waits for the row. */
async function takeNextVersion(tx: Tx, name: string): Promise<EventType> {
  const { count } = await tx.eventType.updateMany({ where: { name }, data: { latestVersion: { increment: 1 } } })
  if (count === 0) throw eventTypeNotFound(name)
  return tx.eventType.findUniqueOrThrow({ where: { name } })
}

function eventTypeNotFound(name: string): Problem {
  return new Problem('event_type_not_found', `There is no event type ${JSON.stringify(name)}.`)
}

function beyondEventType(key: Key | undefined, order: 'asc' | 'desc'): Prisma.EventTypeWhereInput {
  const [time, name] = key ?? []
  if (time === undefined || name === undefined) return {}
  return order === 'asc'
    ? { OR: [{ createdAt: { gt: time } }, { createdAt: time, name: { gt: name } }] }
    : { OR: [{ createdAt: { lt: time } }, { createdAt: time, name: { lt: name } }] }
}
