/**
 * Hints from publishers to dispatchers: which shards have work now. A hint saves up to a quarter of a second; whoever
 * misses one finds the work at the next look, so nothing here is ever waited for or retried.
 */
import type { Uuid } from '@posthorn/contract'
import type { Database } from './db/database.ts'
import { keepListening } from './db/listening.ts'
import { giveSignOfLife } from './db/sql/give-sign-of-life.ts'
import { listenOutbox, outboxChannel } from './db/sql/listen-outbox.ts'
import { listenWork } from './db/sql/listen-work.ts'
import { streamWantedChannel } from './db/sql/notify-stream-wanted.ts'
import { notifyWork } from './db/sql/notify-work.ts'

/**
 * A process sends at most one NOTIFY in this time, in milliseconds: a commit with NOTIFY locks the whole database, for as
 * long as it takes, which is short because nothing else is in its transaction.
 */
const notifyEveryMs = 10

/**
 * A subscription that has due work, as its publisher knows it. With it a dispatcher in the same process claims at once,
 * without looking first.
 */
export type DueWork = {
  subscriptionId: Uuid
  tenantId: string
  shard: number
  maxInFlight: number
  /** Null: no limit. */
  ratePerSecond: number | null
  ordered: boolean
}

export type WorkHints = {
  /** Tells other processes about shards with work, now or together with others a moment later. */
  tell(shards: Iterable<number>): void
}

/** For publishers. */
export function createWorkHints(db: Database): WorkHints {
  const waiting = new Set<number>()
  let quiet = true

  function flush(): void {
    if (waiting.size === 0) {
      quiet = true
      return
    }
    const shards = [...waiting]
    waiting.clear()
    quiet = false
    notifyWork(db.pool, shards)
      .catch(() => undefined) // the dispatchers look by themselves
      .finally(() => setTimeout(flush, notifyEveryMs).unref())
  }

  return {
    tell(shards) {
      for (const shard of shards) waiting.add(shard)
      if (quiet) flush()
    },
  }
}

/**
 * For dispatchers: calls back with the shards of every hint, and listens again when the connection breaks. The connection
 * is also the sign of life of the dispatcher, if one is named: others see it end with the process. Somebody who reads a stream
 * is heard on it too (stream.ts), and somebody who wrote into the outbox.
 */
export function listenForWork(
  db: Database,
  onWork: (shards: readonly number[]) => void,
  dispatcherId?: Uuid,
  onStreamWanted: () => void = () => undefined,
  onOutbox: () => void = () => undefined,
): AsyncDisposable {
  const listening = keepListening(db, {
    name: 'posthorn-hints',
    async begin(client) {
      await listenWork(client)
      await listenOutbox(client)
      if (dispatcherId !== undefined) await giveSignOfLife(client, dispatcherId)
    },
    heard(channel, payload) {
      if (channel === streamWantedChannel) onStreamWanted()
      else if (channel === outboxChannel) onOutbox()
      else onWork(payload.split(',').map(Number))
    },
  })
  return { [Symbol.asyncDispose]: () => listening.stop() }
}
