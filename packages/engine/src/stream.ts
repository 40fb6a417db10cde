/**
 * What was just recorded, told to whoever reads a stream.
 *
 * Dispatchers tell the ids of the attempts they record by NOTIFY, and only while somebody has asked for it: who streams asks
 * again and again, and a dispatcher that has heard nothing for a while tells nothing, which costs it one comparison a batch.
 * Who streams reads the attempts of these ids, so nothing but ids is ever in a notification.
 *
 * A notification may be lost. Then every stream is told to begin anew: nothing is left out in silence. Taking a stream up
 * again reads the attempts themselves, so it works on another process too and after a restart.
 */
import {
  limits,
  matchesAnyEventType,
  parseId,
  type StreamResetReason,
  type Uuid,
  uuidFloor,
  uuidTime,
} from '@posthorn/contract'
import { listenForAttempts } from './db/attempt-listening.ts'
import type { Database } from './db/database.ts'
import type { Listening } from './db/listening.ts'
import type { DeliveryFilter } from './db/sql/filter-conditions.ts'
import { attemptsLost, notifyAttempts } from './db/sql/notify-attempts.ts'
import type { AttemptRecord } from './db/sql/record-attempts.ts'
import {
  type StreamedRow,
  selectAttemptEnd,
  selectAttemptsSince,
  selectStreamedAttempts,
} from './db/sql/select-streamed-attempts.ts'
import type { World } from './world.ts'

export type { StreamedRow } from './db/sql/select-streamed-attempts.ts'

/** How long a dispatcher tells after it has been asked, in milliseconds: who streams asks every 10 s. */
const askedForMs = 30_000
/** A process sends at most one statement of notifications in this time, in milliseconds. */
const tellEveryMs = 50
/** Ids that wait to be told, or to be read. Beyond it they are given up, and streams begin anew. */
const waitingMax = 20_000
/** Attempts read by one statement. */
const readMax = 1_000
/** No attempt takes longer, with a token to be fetched first, in milliseconds. */
const attemptMsMax = 2 * limits.timeoutMsMax + 15_000
/** Attempts of other batches may be recorded so much later than they ended, in milliseconds. */
const recordedWithinMs = 10_000

export type StreamTeller = {
  /** Somebody reads a stream. */
  asked(): void
  /** These attempts are recorded. */
  tell(records: readonly AttemptRecord[]): void
}

/** For dispatchers. */
export function createStreamTeller(db: Database, monotonicMs: () => number): StreamTeller {
  let askedUntil = Number.NEGATIVE_INFINITY
  let waiting: Uuid[] = []
  let lost = false
  let quiet = true

  function flush(): void {
    if (waiting.length === 0 && !lost) {
      quiet = true
      return
    }
    const told = { ids: waiting, lost }
    waiting = []
    lost = false
    quiet = false
    notifyAttempts(db.pool, told.ids, told.lost)
      .catch(() => (lost = monotonicMs() < askedUntil))
      .finally(() => setTimeout(flush, tellEveryMs).unref())
  }

  return {
    asked: () => {
      askedUntil = monotonicMs() + askedForMs
    },
    tell(records) {
      if (monotonicMs() >= askedUntil) return
      if (waiting.length + records.length > waitingMax) {
        waiting = []
        lost = true
      } else {
        for (const { id } of records) waiting.push(id)
      }
      if (quiet) flush()
    },
  }
}

/** Which attempts a reader wants: what of the filter grammar fits to one. */
export type StreamFilter = Omit<DeliveryFilter, 'keys' | 'replays' | 'from' | 'before'>

export type StreamReader = {
  attempts(rows: readonly StreamedRow[]): void
  /** Something may be missing from here on. */
  reset(reason: StreamResetReason): void
}

export type Stream = AsyncDisposable & {
  /**
   * Begins to read. Resolves when what came behind `after` has been given to the reader, and all that is recorded later
   * will be.
   *
   * @param after the id of an attempt, as the reader was told it, or a `streamPosition`
   */
  read(filter: StreamFilter, reader: StreamReader, after: string | undefined): Promise<{ stop(): void }>
}

/** For the API. It listens to the database while there are readers. */
export function createStream({ db, world }: { db: Database; world: World }): Stream {
  const readers = new Map<StreamReader, StreamFilter>()
  let listening: Listening | undefined
  let waiting: Uuid[] = []
  let reading: Promise<void> | undefined

  function toAll(reason: StreamResetReason): void {
    for (const reader of readers.keys()) reader.reset(reason)
  }

  function heard(payload: string): void {
    if (payload === attemptsLost) {
      toAll('interrupted')
      return
    }
    waiting.push(...payload.split(','))
    if (waiting.length > waitingMax) {
      waiting = []
      toAll('interrupted')
    }
    reading ??= readWaiting().finally(() => (reading = undefined))
  }

  async function readWaiting(): Promise<void> {
    while (waiting.length > 0) {
      const ids = waiting.splice(0, readMax)
      try {
        const rows = await selectStreamedAttempts(db.pool, ids)
        for (const [reader, filter] of readers) give(reader, filter, rows)
      } catch {
        toAll('interrupted')
      }
    }
  }

  return {
    async read(filter, reader, after) {
      // What is told while the past is read waits, and what was read already is not told twice.
      let behind: StreamedRow[] | undefined = after === undefined ? undefined : []
      const gate: StreamReader = {
        attempts(rows) {
          if (behind === undefined) return void reader.attempts(rows)
          behind.push(...rows)
          if (behind.length <= waitingMax) return
          behind = []
          reader.reset('interrupted')
        },
        reset: (reason) => reader.reset(reason),
      }
      readers.set(gate, filter)
      listening ??= listenForAttempts(db, heard, () => toAll('interrupted'))
      const stop = () => {
        readers.delete(gate)
        if (readers.size > 0) return
        listening?.stop()
        listening = undefined
      }
      try {
        await listening.ready
        if (after !== undefined) {
          const past = await readSince({ db, world }, filter, after)
          if ('reset' in past) reader.reset(past.reset)
          else reader.attempts(past.rows)
          const told = new Set('reset' in past ? [] : past.rows.map((row) => row.id))
          reader.attempts((behind ?? []).filter((row) => !told.has(row.id)))
          behind = undefined
        }
      } catch (error) {
        stop()
        throw error
      }
      return { stop }
    },
    async [Symbol.asyncDispose]() {
      readers.clear()
      const ending = listening
      listening = undefined
      await ending?.stop()
      await reading
    },
  }
}

function give(reader: StreamReader, filter: StreamFilter, rows: readonly StreamedRow[]): void {
  const wanted = rows.filter((row) => isWanted(filter, row))
  if (wanted.length > 0) reader.attempts(wanted)
}

/** A place in the stream where nothing was told: a time. */
export function streamPosition(ms: number): string {
  return new Date(ms).toISOString()
}

/** Clocks of two processes may differ by so much, in milliseconds. */
const clocksDifferMs = 60_000

/** @returns undefined for what is no time, and none that a stream can have given */
function timeOf(position: string, nowMs: number): number | undefined {
  const ms = Date.parse(position)
  const isOurs = ms >= 0 && ms <= nowMs + clocksDifferMs && streamPosition(ms) === position
  return isOurs ? ms : undefined
}

/**
 * What came behind an attempt, or a time. Attempts are recorded in about the order of their ends, so those that ended a
 * little before it are told as well, and perhaps a second time.
 */
async function readSince(
  { db, world }: { db: Database; world: World },
  filter: StreamFilter,
  after: string,
): Promise<{ rows: StreamedRow[] } | { reset: StreamResetReason }> {
  const tenantId = filter.within ?? null
  const timeMs = timeOf(after, world.now())
  const id = parseId('attempt', after)
  const endedAt = id === undefined ? undefined : await selectAttemptEnd(db.pool, tenantId, id)
  const endedAtMs = timeMs ?? endedAt?.getTime()
  if (endedAtMs === undefined) return { reset: 'unknown_position' }
  if (endedAtMs < world.now() - limits.streamResumeMinutes * 60_000) return { reset: 'too_old' }
  const begunAtMs = id === undefined ? endedAtMs : uuidTime(id)
  const { scanned, rows } = await selectAttemptsSince(db.pool, {
    tenantId,
    from: uuidFloor(Math.max(0, begunAtMs - attemptMsMax)),
    endedFrom: new Date(endedAtMs - recordedWithinMs),
    scannedMax: limits.streamResumeAttemptsMax + 1,
  })
  if (scanned > limits.streamResumeAttemptsMax) return { reset: 'too_much' }
  const missed = rows.filter((row) => row.id !== id && isWanted(filter, row))
  return missed.length > limits.streamResumeMessagesMax ? { reset: 'too_much' } : { rows: missed }
}

/** The tenant is asked first: what belongs to another one is nothing. */
function isWanted(filter: StreamFilter, row: StreamedRow): boolean {
  return (
    (filter.within === undefined || filter.within === row.tenant_id) &&
    includes(filter.tenants, row.tenant_id) &&
    includes(filter.subscriptions, row.subscription_id) &&
    includes(filter.events, row.event_id) &&
    includes(filter.states, row.state) &&
    includes(filter.triggers, row.trigger) &&
    includes(filter.failureCodes, row.failure_code) &&
    (filter.httpStatuses === undefined ||
      filter.httpStatuses.some(
        ({ from, to }) => row.http_status !== null && row.http_status >= from && row.http_status <= to,
      )) &&
    (filter.eventTypes === undefined || matchesAnyEventType(filter.eventTypes, row.event_type))
  )
}

function includes<T>(wanted: readonly T[] | undefined, given: T | null): boolean {
  return wanted === undefined || (given !== null && wanted.includes(given))
}
