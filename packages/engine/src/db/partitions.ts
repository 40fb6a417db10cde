/**
 * Day partitions of `event`, `event_key`, `delivery` and `attempt`: `event_20261123` holds the ids of 23 November 2026, UTC.
 *
 * The ids are UUIDv7, so a bound is the smallest id of a midnight. Partitions are made well ahead: a row whose day has
 * none is refused by PostgreSQL, and then nothing can be accepted. Making them blocks neither readers nor writers.
 */
import { uuidFloor } from '@posthorn/contract'
import type pg from 'pg'
import { createPartition } from './sql/create-partition.ts'
import { inTransaction } from './sql/in-transaction.ts'
import { lockPartitions } from './sql/lock-partitions.ts'
import { selectPartitions } from './sql/select-partitions.ts'
import { ask } from './unavailable.ts'

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
  const made: string[] = []
  const client = await ask(() => pool.connect())
  // A connection that breaks rejects the query that runs on it; without a listener it would end the process as well.
  client.on('error', ignore)
  try {
    for (const partition of missing) if (await makeUnlessThere(client, partition)) made.push(partition.name)
    client.off('error', ignore)
    client.release()
  } catch (error) {
    // Whatever state the connection is in, it is not given to the next one.
    client.release(true)
    throw error
  }
  return made
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

function ignore(): void {}
