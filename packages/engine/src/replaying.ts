/**
 * Running replays: one step of it, for dispatchers to repeat.
 *
 * The table is the queue. A replay that runs is found by its row, fed in small portions as its items end, and ended when
 * none is left; whatever process is killed, the next step of any other goes on from what is committed. A replay has a
 * lane of its own: what is published meanwhile is due in front of whatever has not been fed yet.
 */
import { replaySends, type Uuid } from '@posthorn/contract'
import type { Database } from './db/database.ts'
import { feedReplay } from './db/sql/feed-replay.ts'
import { finishReplays } from './db/sql/finish-replays.ts'
import { type ReplayAtWork, selectReplaysAtWork } from './db/sql/select-replays-at-work.ts'
import { settleReplayItems } from './db/sql/settle-replay-items.ts'

/** Items of one replay that are due or in flight at once, beside the half of each subscription's `max_in_flight`. */
const underWayMax = 200
/** The same of one subscription, however many it may have in flight. */
const underWayPerSubscriptionMax = 50
/** Subscriptions that one portion looks at. */
const lanesMax = 64

export type ReplayStep = {
  /** There is a replay that runs, or items of one are under way: the next step is due soon. */
  busy: boolean
  /** Items that became due, and those that are not sent for a reason. */
  fed: number
  skipped: number
  settled: number
  /** Shards with new work. */
  shards: number[]
  /** Replays that ended. */
  finished: Uuid[]
}

export type Replaying = {
  step(): Promise<ReplayStep>
}

/** @param feedTarget sends items of a replay to another URL; such replays wait without it */
export function createReplaying(db: Database, feedTarget?: (replayId: Uuid) => Promise<number>): Replaying {
  /** Where each replay goes on. Forgotten by a restart, which begins anew; it is only about turns. */
  const places = new Map<Uuid, Uuid | null>()

  async function feed({ id, choice, targeted }: ReplayAtWork, step: ReplayStep): Promise<void> {
    if (targeted) {
      step.fed += (await feedTarget?.(id)) ?? 0
      return
    }
    const portion = await feedReplay(db.pool, {
      replayId: id,
      states: replaySends[choice],
      behind: places.get(id) ?? null,
      lanesMax,
      underWayMax,
      underWayPerSubscriptionMax,
    })
    // Another dispatcher is at it, or it was paused meanwhile.
    if (portion === undefined) return
    places.set(id, portion.lanes < lanesMax ? null : portion.behind)
    step.fed += portion.fed
    step.skipped += portion.skipped
    step.shards.push(...portion.shards)
  }

  return {
    async step() {
      const { running, underWay } = await selectReplaysAtWork(db.pool)
      const step: ReplayStep = {
        busy: running.length > 0 || underWay,
        fed: 0,
        skipped: 0,
        settled: 0,
        shards: [],
        finished: [],
      }
      for (const id of places.keys()) if (!running.some((replay) => replay.id === id)) places.delete(id)
      if (!step.busy) return step
      let anyIdle = false
      for (const replay of running) {
        const before = step.fed
        await feed(replay, step)
        if (step.fed === before) anyIdle = true
      }
      if (underWay) step.settled = await settleReplayItems(db.pool)
      if (anyIdle) step.finished = (await finishReplays(db.pool)).map(({ id }) => id)
      return step
    },
  }
}
