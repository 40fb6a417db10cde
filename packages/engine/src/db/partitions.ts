/**
 * Day partitions of `event`, `event_key`, `delivery` and `attempt`: `event_20261123` holds the ids of 23 November 2026, UTC.
 *
 * The ids are UUIDv7, so a bound is the smallest id of a midnight. Partitions are made well ahead: a row whose day has
 * none is refused by PostgreSQL, and then nothing can be accepted. Making them blocks neither readers nor writers.
 */
import { uuidFloor } from '@posthorn/contract'
import type pg from 'pg'
import { onConnection } from './pool-transaction.ts'
import { attachPartition } from './sql/attach-partition.ts'
import { createPartition } from './sql/create-partition.ts'
import { detachPartition } from './sql/detach-partition.ts'
import { dropPartition } from './sql/drop-partition.ts'
import { hasUnfinished } from './sql/has-unfinished.ts'
import { inTransaction } from './sql/in-transaction.ts'
import { lockPartitions } from './sql/lock-partitions.ts'
import { type OldPartition, selectOldPartitions } from './sql/select-old-partitions.ts'
import { selectPartitions } from './sql/select-partitions.ts'

/** The tables that are partitioned by day. */
export const partitionedTables = ['event', 'event_key', 'delivery', 'attempt'] as const
export type PartitionedTable = (typeof partitionedTables)[number]

/**
 * The percentage of a page that inserts fill. A delivery is updated once or a few times and no index of it changes by
 * that, so with room on its page the update touches no index; without, it cost twice as much as all else of a recording.
 */
const fillfactors: Readonly<Record<PartitionedTable, number>> = {
  event: 100,
  event_key: 100,
  delivery: 60,
  attempt: 100,
}

/** Yesterday too: clocks of several machines differ around midnight. */
export const partitionDaysBack = 1
/** Two weeks during which nobody need notice that the daily job fails. */
export const partitionDaysAhead = 14
/** A partition that cannot be locked for this long is given up until the next call. */
const lockWaitMs = 5_000
const dayMs = 86_400_000

/**
 * Makes the partitions that are missing between `daysBack` before the day of `now` and `daysAhead` after it, each in a
 * transaction of its own. Callers at the same time share the work.
 *
 * @returns the names of those made by this call, in order of days
 * @throws pg.DatabaseError `55P03` when a lock was not to be had within 5 s, DatabaseUnavailable
 */
export async function ensurePartitions(
  pool: pg.Pool,
  {
    now,
    daysBack = partitionDaysBack,
    daysAhead = partitionDaysAhead,
  }: { now: Date; daysBack?: number; daysAhead?: number },
): Promise<string[]> {
  const existing = new Set(await selectPartitions(pool, partitionedTables))
  const today = Math.floor(now.getTime() / dayMs) * dayMs
  const days = Array.from({ length: daysBack + 1 + daysAhead }, (_, index) => today + (index - daysBack) * dayMs)
  const missing = days.flatMap((day) =>
    partitionedTables
      .map((table) => ({ table, name: partitionName(table, day), from: uuidFloor(day), to: uuidFloor(day + dayMs) }))
      .filter(({ name }) => !existing.has(name)),
  )
  if (missing.length === 0) return []
  return onConnection(pool, async (client) => {
    const made: string[] = []
    for (const partition of missing) if (await makeUnlessThere(client, partition)) made.push(partition.name)
    return made
  })
}

/**
 * Until when rows can be stored: the end of the last day of the unbroken run that begins with the day of `now`, in the
 * table where it ends first. Not after `now` means that today's partition is missing.
 */
export async function partitionsReadyUntil(pool: pg.Pool, now: Date): Promise<Date> {
  const existing = new Set(await selectPartitions(pool, partitionedTables))
  let day = Math.floor(now.getTime() / dayMs) * dayMs
  while (partitionedTables.every((table) => existing.has(partitionName(table, day)))) day += dayMs
  return new Date(day)
}

/**
 * Drops the partitions of whole days that are older than `cutoffMs`. A day of which something is still to be sent stays, and
 * is looked at again by the next call. Events stay one day longer than their deliveries: one that was made behind midnight
 * may belong to an event from before.
 *
 * Nobody waits for it: a partition is taken off its table first, and dropped when nobody uses it any more. What a killed
 * call has left half done is ended by the next one.
 *
 * @returns the names of what was dropped, and of what stays although it is old
 */
export async function dropOldPartitions(
  pool: pg.Pool,
  cutoffMs: number,
): Promise<{ dropped: string[]; kept: string[] }> {
  const found = (await selectOldPartitions(pool, partitionedTables)).map((one) => ({ ...one, day: dayOf(one.name) }))
  const daysWithDeliveries = new Set(found.filter((one) => one.parent === 'delivery').map((one) => one.day))
  const dropped: string[] = []
  const kept: string[] = []
  const isOld = (day: number) => day + dayMs <= cutoffMs
  for (const delivery of found.filter((one) => one.parent === 'delivery' && isOld(one.day))) {
    if (await dropDeliveries(pool, delivery)) {
      dropped.push(delivery.name)
      daysWithDeliveries.delete(delivery.day)
    } else kept.push(delivery.name)
  }
  for (const other of found.filter((one) => one.parent !== 'delivery' && isOld(one.day))) {
    const days = other.parent === 'attempt' ? [other.day] : [other.day, other.day + dayMs]
    if (!days.every((day) => isOld(day) && !daysWithDeliveries.has(day))) continue
    await takeOff(pool, other)
    await dropPartition(pool, other.name)
    dropped.push(other.name)
  }
  return { dropped: dropped.toSorted(), kept }
}

/** Answers whether they are gone. When nobody can write to it any more, it is looked at a second time. */
async function dropDeliveries(pool: pg.Pool, partition: OldPartition & { day: number }): Promise<boolean> {
  const { name, day } = partition
  if (partition.place === 'attached' && (await hasUnfinished(pool, name))) return false
  await takeOff(pool, partition)
  if (await hasUnfinished(pool, name)) {
    await attachPartition(pool, { table: 'delivery', name, from: uuidFloor(day), to: uuidFloor(day + dayMs) })
    return false
  }
  await dropPartition(pool, name)
  return true
}

async function takeOff(pool: pg.Pool, { parent, name, place }: OldPartition): Promise<void> {
  if (place !== 'detached') await detachPartition(pool, { table: parent, name, isPending: place === 'pending' })
}

/** The midnight of a partition's day, in Unix milliseconds. */
function dayOf(name: string): number {
  const [, year, month, date] = /_(\d{4})(\d\d)(\d\d)$/.exec(name) ?? []
  return Date.UTC(Number(year), Number(month) - 1, Number(date))
}

/** `event_20261123`. @param day Unix milliseconds of a UTC midnight */
function partitionName(table: PartitionedTable, day: number): string {
  return `${table}_${new Date(day).toISOString().slice(0, 10).replaceAll('-', '')}`
}

type Partition = { table: PartitionedTable; name: string; from: string; to: string }

/** Looks again under the lock: another caller may have made it meanwhile. */
function makeUnlessThere(client: pg.PoolClient, partition: Partition): Promise<boolean> {
  return inTransaction(
    client,
    async () => {
      await lockPartitions(client)
      const existing = await selectPartitions(client, [partition.table])
      const isMissing = !existing.includes(partition.name)
      if (isMissing) await createPartition(client, { ...partition, fillfactor: fillfactors[partition.table] })
      return isMissing
    },
    { lockTimeoutMs: lockWaitMs },
  )
}
