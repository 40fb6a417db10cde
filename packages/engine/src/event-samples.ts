/**
 * A sample of what was published under an event type, to be compared with what its newest schema declares. It is bounded in
 * rows, bytes and time, and holds nothing that was erased.
 */
import { limits, uuidFloor, uuidTime } from '@posthorn/contract'
import type { Database } from './db/database.ts'
import { poolTransaction } from './db/pool-transaction.ts'
import { type SampledRow, selectSample } from './db/sql/select-sample.ts'
import { getEventType } from './event-types.ts'
import type { World } from './world.ts'

/** Events of all types that are looked through for those of the type, before the index of every sixteenth is asked. */
const recentMax = 2_000
/** The sample is an index walk of a few thousand rows. A database that takes longer has other things to do. */
const statementTimeoutMs = 5_000
const dayMs = 86_400_000

export type EventSample = {
  eventType: string
  /** The newest version; undefined while there is none. */
  version: { number: number; schema: unknown } | undefined
  since: Date
  /** The newest first. */
  events: readonly { publishedAt: Date; data: string; schemaVersion: number | null }[]
  /** Those are all of the type that were published since then and still have their content. */
  isComplete: boolean
}

/**
 * Events of a type, of all tenants: none from before the newest version, because they were made for another. The newest of
 * all that is published are looked through; of what is older, every sixteenth.
 *
 * @throws Problem `event_type_not_found`; DatabaseUnavailable when it takes too long
 */
export async function sampleEvents({ db, world }: { db: Database; world: World }, name: string): Promise<EventSample> {
  const eventType = await getEventType(db, name)
  const newest = await db.prisma.eventTypeVersion.findFirst({
    where: { eventType: eventType.name },
    orderBy: { version: 'desc' },
    select: { version: true, schema: true, createdAt: true },
  })
  const someDaysAgo = world.now() - limits.observedDays * dayMs
  const sinceMs = Math.max(someDaysAgo, newest?.createdAt.getTime() ?? 0)
  const asked = { type: eventType.name, since: uuidFloor(sinceMs), rowsMax: limits.observedEventsMax + 1, recentMax }
  const rows = await poolTransaction(
    db,
    (runner) => selectSample(runner, { ...asked, bytesMax: limits.observedBytesMax }),
    { statementTimeoutMs },
  )
  const events = rows.slice(0, limits.observedEventsMax).map(({ id, data, schema_version }) => {
    return { publishedAt: new Date(uuidTime(id)), data, schemaVersion: schema_version }
  })
  return {
    eventType: eventType.name,
    version: newest === null ? undefined : { number: newest.version, schema: newest.schema },
    since: new Date(sinceMs),
    events,
    isComplete: isComplete(rows, events.length),
  }
}

/** Without a row nobody knows how many were looked through; then it is told of none, and of none that is left out. */
function isComplete(rows: readonly SampledRow[], count: number): boolean {
  const [first] = rows
  return first === undefined || (first.looked_through < recentMax && first.found === count)
}
