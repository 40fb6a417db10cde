/**
 * Shares one round trip to the database among callers that come at the same time.
 *
 * An item that finds nothing running goes at once: no timer, no waiting when idle. While `parallel` batches are running,
 * items queue up and go together as soon as one of them ends. Under load the batches grow by themselves, and the cost of
 * a commit is divided among them. An item never joins a batch that has already begun, so what it sees is at least as new
 * as its own arrival.
 */

export type BatcherOptions<In, Out> = {
  /** Handles a batch and answers with one result an item, in order. */
  run(items: readonly In[]): Promise<readonly Out[]>
  /** Items in one batch at the most. */
  itemsMax: number
  /** Batches under way at once at the most. */
  parallel: number
  /** Items that may wait. One more is refused with `BatcherFull`: we do not promise what we cannot keep. */
  waitingMax: number
  /** Weight of an item (bytes, say) and the weight of a batch at the most. */
  weigh?: (item: In) => number
  weightMax?: number
  /**
   * Whether a failed batch may be tried again item by item, so that one bad item does not fail the others. Say yes only
   * where a failed batch has certainly left nothing behind.
   */
  mayRunAlone?: (error: unknown) => boolean
}

export type Batcher<In, Out> = {
  /** @throws BatcherFull when too many items wait already; otherwise whatever `run` threw for this item */
  add(item: In): Promise<Out>
  /** Items that wait for their batch. */
  readonly waiting: number
  /** Resolves when nothing waits and nothing runs. */
  idle(): Promise<void>
}

/** Refusal of an item because `waitingMax` others wait. */
export class BatcherFull extends Error {
  override readonly name = 'BatcherFull'
  readonly code = 'batcher_full'
}

type Entry<In, Out> = { item: In; resolve(result: Out): void; reject(error: unknown): void }

export function createBatcher<In, Out>(options: BatcherOptions<In, Out>): Batcher<In, Out> {
  const { run, itemsMax, parallel, waitingMax, weigh, weightMax = Number.POSITIVE_INFINITY, mayRunAlone } = options
  const queue: Entry<In, Out>[] = []
  let running = 0
  const whenIdle: (() => void)[] = []

  function start(): void {
    while (running < parallel && queue.length > 0) {
      const batch = take()
      running += 1
      void settle(batch).finally(() => {
        running -= 1
        start()
      })
    }
    if (running === 0 && queue.length === 0) {
      for (const resolve of whenIdle.splice(0)) resolve()
    }
  }

  function take(): Entry<In, Out>[] {
    let count = 0
    let weight = 0
    for (const { item } of queue) {
      weight += weigh?.(item) ?? 0
      // The first one goes whatever it weighs.
      if (count === itemsMax || (count > 0 && weight > weightMax)) break
      count += 1
    }
    return queue.splice(0, count)
  }

  async function settle(batch: readonly Entry<In, Out>[]): Promise<void> {
    try {
      const results = await run(batch.map((entry) => entry.item))
      if (results.length !== batch.length)
        throw new Error(`A batch of ${batch.length} was answered with ${results.length} results`)
      for (const [index, entry] of batch.entries()) entry.resolve(results[index] as Out) // length checked just above
    } catch (error) {
      if (batch.length > 1 && mayRunAlone?.(error)) {
        for (const entry of batch) await settle([entry])
      } else {
        for (const entry of batch) entry.reject(error)
      }
    }
  }

  return {
    add(item) {
      if (queue.length >= waitingMax) return Promise.reject(new BatcherFull(`${waitingMax} items wait already`))
      return new Promise<Out>((resolve, reject) => {
        queue.push({ item, resolve, reject })
        start()
      })
    },
    get waiting() {
      return queue.length
    },
    idle() {
      if (running === 0 && queue.length === 0) return Promise.resolve()
      return new Promise((resolve) => whenIdle.push(resolve))
    },
  }
}
