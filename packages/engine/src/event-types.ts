/**
 * Kinds of events and their schemas. Event types belong to the installation, not to a tenant.
 */
import { type EventTypeState, isReservedEventType, type ValidationMode } from '@posthorn/contract'
import { type CheckSchema, checkWith } from '@posthorn/json-schema'
import { writeAudit } from './audit.ts'
import type { Database } from './db/database.ts'
import type { EventType, EventTypeVersion, Prisma } from './db/generated/client.ts'
import { lockEventType } from './db/sql/lock-event-type.ts'
import { selectCaseVariants } from './db/sql/select-case-variants.ts'
import { transaction } from './db/transaction.ts'
import {
  eventTypeNameRefused,
  eventTypeNameTaken,
  eventTypeNotFound,
  isEventTypeName as isName,
} from './event-type-names.ts'
import type { KeyPointers } from './key-pointers.ts'
import { isTimeAndNameKey, type Key, type Page, type PageRequest, planPage } from './paging.ts'
import type { Precondition } from './precondition.ts'
import { eventTypeReserved } from './reserved-event-types.ts'

export type { EventType, EventTypeVersion } from './db/generated/client.ts'

export type EventTypeInput = {
  description: string | null
  group: string | null
  state: EventTypeState
  validation: ValidationMode
  keyPointers: KeyPointers
}

/**
 * Makes an event type known, or replaces all that is known of it but its schemas.
 *
 * @param expect throws when the event type is not what the caller takes it for
 * @throws Problem `invalid_request`, `event_type_reserved`, `event_type_name_taken`
 */
export async function putEventType(
  db: Database,
  name: string,
  input: EventTypeInput,
  expect: Precondition<EventType> = () => undefined,
): Promise<{ eventType: EventType; created: boolean }> {
  if (!isName(name)) throw eventTypeNameRefused('{name}')
  if (isReservedEventType(name)) throw eventTypeReserved(name, '{name}')
  return transaction(db, async (tx) => {
    const known = await lockEventType(tx, name)
    expect(known ? await tx.eventType.findUniqueOrThrow({ where: { name } }) : undefined)
    const { count } = await tx.eventType.createMany({ data: [{ name, ...input }], skipDuplicates: true })
    if (!known && count === 0) {
      const other = await tx.eventType.findUnique({ where: { name } })
      if (other === null) {
        // Neither made nor there: the index refused the name.
        const variants = await selectCaseVariants(db.pool, [name])
        throw eventTypeNameTaken(name, variants.get(name) ?? name, '{name}')
      }
      // Somebody else made it known between the two.
      expect(other)
    }
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
  if (isReservedEventType(name)) throw eventTypeReserved(name, '{name}')
  if (!isName(name)) throw eventTypeNotFound(name)
  await transaction(db, async (tx) => {
    const { count } = await tx.eventType.updateMany({ where: { name }, data: { state: 'archived' } })
    if (count === 0) throw eventTypeNotFound(name)
    await writeAudit(tx, db, { target: name, tenantId: null })
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

function isVersionKey(key: Key): boolean {
  return key.length === 1 && /^[1-9]\d{0,8}$/.test(key[0])
}

function beyondEventType(key: Key | undefined, order: 'asc' | 'desc'): Prisma.EventTypeWhereInput {
  const [time, name] = key ?? []
  if (time === undefined || name === undefined) return {}
  return order === 'asc'
    ? { OR: [{ createdAt: { gt: time } }, { createdAt: time, name: { gt: name } }] }
    : { OR: [{ createdAt: { lt: time } }, { createdAt: time, name: { lt: name } }] }
}
