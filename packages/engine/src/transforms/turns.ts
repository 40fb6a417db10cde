/**
 * Who may use the next free evaluator: the tenant that has used the least time, and of his subscriptions the one that has.
 * So a subscription whose transforms hang gets one turn while another, whose transforms take a millisecond, gets a
 * thousand. Those whose last transform was slow never have all evaluators at once, so that the others need not wait for
 * one to end either.
 *
 * Used time is remembered while there is something to do for a tenant or a subscription; who comes anew begins where those
 * are that have used the least.
 */

/** A transform that takes so long is slow, in milliseconds. */
const slowAfterMs = 100
/** Subscriptions that are remembered as slow. */
const slowRememberedMax = 10_000

export type Turn = { readonly tenantId: string; readonly subscriptionId: string }

export type Turns<T extends Turn> = {
  wait(turn: T): void
  /** Takes the one whose turn it is, if anybody may have one now. It is under way until `ended`. */
  take(): T | undefined
  /** Takes one back if it waits. */
  leave(turn: T): void
  /** @param ms for how long it was under way */
  ended(turn: T, ms: number): void
  readonly waiting: number
}

type Use = { usedMs: number }
type Queue<T> = Use & { tenantId: string; waiting: T[]; underWay: number }

/** @param slots how many can be under way at once */
export function createTurns<T extends Turn>(slots: number): Turns<T> {
  const tenants = new Map<string, Use>()
  const queues = new Map<string, Queue<T>>()
  const slow = new Set<string>()
  const slowMax = Math.max(1, slots - 1)

  function queueOf({ tenantId, subscriptionId }: T): Queue<T> {
    if (!tenants.has(tenantId)) tenants.set(tenantId, { usedMs: leastOf(tenants.values()) })
    const siblings = [...queues.values()].filter((queue) => queue.tenantId === tenantId)
    const queue = queues.get(subscriptionId) ?? { tenantId, waiting: [], underWay: 0, usedMs: leastOf(siblings) }
    queues.set(subscriptionId, queue)
    return queue
  }

  /** Forgets a subscription, and its tenant, when there is nothing to do for them. */
  function forget({ tenantId, subscriptionId }: T): void {
    const queue = queues.get(subscriptionId)
    if (queue === undefined || queue.waiting.length > 0 || queue.underWay > 0) return
    queues.delete(subscriptionId)
    if (![...queues.values()].some((other) => other.tenantId === tenantId)) tenants.delete(tenantId)
  }

  function next(): Queue<T> | undefined {
    let slowUnderWay = 0
    for (const [id, queue] of queues) if (slow.has(id)) slowUnderWay += queue.underWay
    let first: Queue<T> | undefined
    for (const [id, queue] of queues) {
      const mayNot = queue.waiting.length === 0 || (slow.has(id) && slowUnderWay >= slowMax)
      if (!mayNot && (first === undefined || comesBefore(queue, first))) first = queue
    }
    return first
  }

  function comesBefore(one: Queue<T>, other: Queue<T>): boolean {
    const [ones, others] = [one, other].map(({ tenantId }) => tenants.get(tenantId)?.usedMs ?? 0)
    if (ones !== others) return (ones ?? 0) < (others ?? 0)
    return one.usedMs < other.usedMs
  }

  return {
    wait(turn) {
      queueOf(turn).waiting.push(turn)
    },
    take() {
      const queue = next()
      const turn = queue?.waiting.shift()
      if (queue !== undefined) queue.underWay += 1
      return turn
    },
    leave(turn) {
      const queue = queues.get(turn.subscriptionId)
      if (queue === undefined) return
      queue.waiting = queue.waiting.filter((one) => one !== turn)
      forget(turn)
    },
    ended(turn, ms) {
      const { tenantId, subscriptionId } = turn
      const queue = queueOf(turn)
      queue.underWay -= 1
      queue.usedMs += ms
      const tenant = tenants.get(tenantId)
      if (tenant !== undefined) tenant.usedMs += ms
      slow.delete(subscriptionId)
      if (ms >= slowAfterMs) slow.add(subscriptionId)
      const [oldest] = slow
      if (slow.size > slowRememberedMax && oldest !== undefined) slow.delete(oldest)
      forget(turn)
    },
    get waiting() {
      let count = 0
      for (const queue of queues.values()) count += queue.waiting.length
      return count
    },
  }
}

function leastOf(uses: Iterable<Use>): number {
  let least = Number.POSITIVE_INFINITY
  for (const { usedMs } of uses) least = Math.min(least, usedMs)
  return Number.isFinite(least) ? least : 0
}
