/**
 * Writes down what came of attempts, many at a time. An outcome is known only to this process until it is recorded, so
 * it is kept through an outage of the database, or a fault in it, and tried again: giving it up would send the event once
 * more. If the process dies meanwhile, the lease runs out and the attempt is made again.
 */
import { setTimeout as wait } from 'node:timers/promises'
import {
  type AttemptRecord,
  createBatcher,
  type Database,
  isRefused,
  recordAttempts,
  type Telemetry,
} from '@posthorn/engine'
import type { PassFailpoint } from './failpoints.ts'

const recordsPerBatchMax = 500
/** One batch under way: the next is gathered meanwhile. With two, batches were half as big, and cost a third more in all. */
const batchesParallel = 1
/** Wait before a batch is tried again that found the database away or unfit, in milliseconds. */
const tryAgainMs = 250

export type Recorder = {
  /** Resolves when the attempt is committed. Rejects only when `signal` gives up on a database that stays away. */
  record(record: AttemptRecord): Promise<void>
  /**
   * Whether outcomes wait that could not be recorded when they were known. Their leases may be over, and what is found to
   * be so now would be sent once more.
   */
  isBehind(): boolean
}

export type RecorderParts = {
  db: Database
  telemetry: Telemetry
  /** The tenant about which nobody is told. */
  operatorTenant: string
  /** Told what was recorded. */
  recorded?(records: readonly AttemptRecord[]): void
}

/** @param giveUp aborted when the process must end although the database is away */
export function createRecorder(parts: RecorderParts, giveUp: AbortSignal, failpoint: PassFailpoint): Recorder {
  const { telemetry } = parts
  /** Outcomes that came, those of them that are settled, and how many had come when a recording failed last. */
  let came = 0
  let settled = 0
  let cameBeforeFault = 0
  const onFault = () => {
    cameBeforeFault = came
  }
  const batcher = createBatcher<AttemptRecord, undefined>({
    run: (records) => recordTogether({ ...parts, onFault }, giveUp, records, failpoint),
    itemsMax: recordsPerBatchMax,
    parallel: batchesParallel,
    waitingMax: Number.POSITIVE_INFINITY, // bounded by the slots: each waiting record holds one
    mayRunAlone: isRefused,
  })
  return {
    async record(record) {
      came += 1
      try {
        await batcher.add(record)
      } catch (error) {
        if (!isRefused(error)) throw error
        // The row itself was refused, so something the receiver sent cannot be stored. The fact of the attempt can.
        telemetry({ what: 'delivery_fault', deliveryId: record.deliveryId, error })
        await batcher.add(withoutAnswer(record))
      } finally {
        settled += 1
      }
    },
    // They are recorded in the order in which they came.
    isBehind: () => settled < cameBeforeFault,
  }
}

async function recordTogether(
  { db, telemetry, operatorTenant, recorded, onFault }: RecorderParts & { onFault(): void },
  giveUp: AbortSignal,
  records: readonly AttemptRecord[],
  failpoint: PassFailpoint,
): Promise<undefined[]> {
  failpoint('before_record')
  const ask = () => recordAttempts(db.pool, records, operatorTenant)
  const moved = await untilAnswered(ask, giveUp, (error) => {
    onFault()
    telemetry({ what: 'round_failed', round: 'record', error })
  })
  failpoint('after_record')
  recorded?.(records)
  const movedIds = new Set(moved.map((row) => row.delivery_id))
  for (const record of records) telemetry({ what: 'attempt_recorded', record, moved: movedIds.has(record.deliveryId) })
  return records.map(() => undefined)
}

async function untilAnswered<T>(
  ask: () => Promise<T>,
  giveUp: AbortSignal,
  onFault: (error: unknown) => void,
): Promise<T> {
  for (;;) {
    try {
      return await ask()
    } catch (error) {
      if (isRefused(error) || giveUp.aborted) throw error
      onFault(error)
      await wait(tryAgainMs, undefined, { signal: giveUp }).catch(() => undefined)
    }
  }
}

function withoutAnswer(record: AttemptRecord): AttemptRecord {
  return {
    ...record,
    responseHeaders: {},
    responseBody: new Uint8Array(),
    responseTruncated: true,
    failureDetail: null,
    remoteAddress: null,
  }
}
