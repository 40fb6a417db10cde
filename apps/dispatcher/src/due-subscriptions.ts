/**
 * The subscriptions that are known to have due work, in the order of their turns: tenants take turns, and within a
 * tenant its subscriptions do. Whoever has had no turn comes first; whoever was served goes to the end.
 *
 * It is knowledge, not a promise: somebody else may have claimed the work. A claim that finds less than it asked for
 * makes it rest, and the next look at its shard that finds more makes it due again, at the place in the order that it had:
 * a subscription with a trickle of work never passes one with a backlog.
 */
import type { Uuid } from '@posthorn/contract'
import type { DueWork } from '@posthorn/engine'

/** Subscriptions known at once to have work. Each is weighed for every claim, which takes about 0.1 µs. */
const dueMax = 4_096
/** Subscriptions without work whose place in the order is kept. */
const restingMax = 4_096

export type Due = DueWork

export type DueSubscriptions = {
  /** Learns that one has work, or what is new about one that has. Answers whether there was room to keep it. */
  learn(due: Due): boolean
  /** It had its turn, and may have more. */
  served(due: Due): void
  /** It had its turn, and has no more. */
  rest(due: Due): void
  /** Forgets those of all other shards. */
  keepOnly(shards: ReadonlySet<number>): void
  get(subscriptionId: Uuid): Due | undefined
  /** By tenants, whoever is next first. */
  inTurns(): Iterable<[tenantId: string, Iterable<Due>]>
}

/** Maps keep the order in which their keys came, which is the order of turns. */
type Turns = { fresh: Map<Uuid, Due>; served: Map<Uuid, Due> }

export function createDueSubscriptions(): DueSubscriptions {
  const known = new Map<Uuid, Due>()
  /** In the order in which they came to rest. They keep their places among those of their tenants that were served. */
  const resting = new Map<Uuid, Due>()
  const byTenant = new Map<string, Turns>()
  /** Who was served, the latest last. Who rests since may still be in it, and who was served again is twice. */
  let servedLately: Uuid[] = []

  function forget({ subscriptionId, tenantId }: Due): void {
    known.delete(subscriptionId)
    resting.delete(subscriptionId)
    const turns = byTenant.get(tenantId)
    turns?.fresh.delete(subscriptionId)
    turns?.served.delete(subscriptionId)
    if (turns?.fresh.size === 0 && turns.served.size === 0) byTenant.delete(tenantId)
  }

  /** Forgets whoever is last in turn, for a new one. Answers whether there is room now. */
  function makeRoom(): boolean {
    while (known.size >= dueMax) {
      const id = servedLately.pop()
      // Whoever was not served yet is not pushed out by newcomers.
      if (id === undefined) return false
      const one = known.get(id)
      if (one !== undefined) forget(one)
    }
    return true
  }

  function toTheEnd(due: Due): void {
    const { subscriptionId, tenantId } = due
    const turns = byTenant.get(tenantId)
    if (turns === undefined) return
    turns.fresh.delete(subscriptionId)
    turns.served.delete(subscriptionId)
    turns.served.set(subscriptionId, due)
    byTenant.delete(tenantId)
    byTenant.set(tenantId, turns)
  }

  return {
    learn(due) {
      const { subscriptionId, tenantId } = due
      if (!known.has(subscriptionId) && !makeRoom()) return false
      known.set(subscriptionId, due)
      resting.delete(subscriptionId)
      const turns = byTenant.get(tenantId) ?? { fresh: new Map<Uuid, Due>(), served: new Map<Uuid, Due>() }
      byTenant.set(tenantId, turns)
      const place = turns.served.has(subscriptionId) ? turns.served : turns.fresh
      place.set(subscriptionId, due)
      return true
    },
    served(due) {
      if (known.get(due.subscriptionId) !== due) return
      toTheEnd(due)
      servedLately.push(due.subscriptionId)
      if (servedLately.length > 2 * dueMax) servedLately = servedLately.slice(-dueMax)
    },
    rest(due) {
      if (known.get(due.subscriptionId) !== due) return
      toTheEnd(due)
      known.delete(due.subscriptionId)
      resting.set(due.subscriptionId, due)
      const [oldest] = resting.values()
      if (resting.size > restingMax && oldest !== undefined) forget(oldest)
    },
    keepOnly(shards) {
      for (const due of [...known.values(), ...resting.values()]) if (!shards.has(due.shard)) forget(due)
    },
    get: (subscriptionId) => known.get(subscriptionId),
    *inTurns() {
      for (const [tenantId, turns] of byTenant) yield [tenantId, dueOf(turns)]
    },
  }

  function* dueOf({ fresh, served }: Turns): Iterable<Due> {
    yield* fresh.values()
    for (const due of served.values()) if (known.has(due.subscriptionId)) yield due
  }
}
