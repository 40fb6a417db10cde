/**
 * What tests wait for instead of time: something is said to have happened, and whoever waits looks again.
 */

export type Signals = {
  /** Says that something has happened. */
  notify(): void
  /** Resolves with what `look` finds, now or after something has happened. What it throws rejects. */
  until<T>(look: () => T | undefined | false): Promise<T>
}

export function createSignals(): Signals {
  const waiters = new Set<() => void>()
  return {
    notify() {
      for (const waiter of [...waiters]) waiter()
    },
    until<T>(look: () => T | undefined | false): Promise<T> {
      return new Promise((resolve, reject) => {
        function waiter(): void {
          try {
            const found = look()
            if (found === undefined || found === false) return
            resolve(found)
          } catch (error) {
            reject(error)
          }
          waiters.delete(waiter)
        }
        waiters.add(waiter)
        waiter()
      })
    },
  }
}
