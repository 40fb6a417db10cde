/**
 * Which other dispatchers have died. The connection on which a dispatcher listens for hints holds a lock that ends with
 * the process, at once and whatever ended it; whoever has not held it for a while is dead.
 *
 * A living dispatcher whose connection breaks holds it again after a second or so. Should one be taken for dead
 * nevertheless, it finds out in its next round that its shards are others'; until then two look at the same shards, which
 * is safe (see shard-ownership.ts). Of a machine that is gone and of a process that hangs the connection stays: they are
 * found by their heartbeats.
 */
import type { Uuid } from '@posthorn/contract'
import { type Database, selectSilentDispatchers } from '@posthorn/engine'

/** More than a living dispatcher needs to connect again, in milliseconds. */
const lastingMs = 2_500

export type Silence = {
  /** Looks, and answers with those that have been silent at every look for long enough. */
  lasting(): Promise<readonly Uuid[]>
  /** Whether some were silent at the last look. */
  readonly begun: boolean
}

/** @param monotonicMs a clock that never jumps */
export function createSilence(pool: Database['pool'], ownId: Uuid, monotonicMs: () => number): Silence {
  let since = new Map<Uuid, number>()
  return {
    get begun() {
      return since.size > 0
    },
    async lasting() {
      const nowMs = monotonicMs()
      const silent = await selectSilentDispatchers(pool, ownId)
      since = new Map(silent.map((id) => [id, since.get(id) ?? nowMs]))
      return silent.filter((id) => nowMs - (since.get(id) ?? nowMs) >= lastingMs)
    },
  }
}
