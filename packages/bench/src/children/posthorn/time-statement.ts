/** Times one named statement of a pool, from the outside: the pool is the one of the process that is measured. */

/** What of a pool is looked at. */
type Pool = { query: unknown }

/** From now on, tells how long each run of the statement took until its answer was there, in milliseconds. */
export function timeStatement(pool: Pool, name: string, tell: (ms: number) => void, monotonicMs: () => number): void {
  const ask = pool.query
  if (typeof ask !== 'function') throw new Error('this pool cannot be asked')
  pool.query = (...args: unknown[]): unknown => {
    const result: unknown = Reflect.apply(ask, pool, args)
    if (nameOf(args[0]) === name && result instanceof Promise) {
      const startedMs = monotonicMs()
      void result.then(
        () => tell(monotonicMs() - startedMs),
        () => undefined,
      )
    }
    return result
  }
}

function nameOf(statement: unknown): unknown {
  return statement !== null && typeof statement === 'object' && 'name' in statement ? statement.name : undefined
}
