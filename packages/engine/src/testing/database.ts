/**
 * A database of its own for each test file (or test), copied from the run's template in about 30 ms: migrated, with
 * pg-boss's tables and the day partitions around today, and no rows.
 */
import { inject } from 'vitest'
import { copyDatabase, type TestDatabase, type TestServer } from './server.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** Provided by `global-set-up.ts`. */
    postgres: TestServer
    /** The process that runs the tests, for those that start processes of their own. */
    machine: { readonly uid: number; readonly execPath: string; readonly env: Readonly<Record<string, string>> }
  }
}

/** A copy of the template. Disposing drops it, whoever is still connected. */
export function createTestDatabase(): Promise<TestDatabase> {
  return copyDatabase(inject('postgres'))
}

/** A database without any tables, for the tests of what makes them. */
export function createEmptyDatabase(): Promise<TestDatabase> {
  return copyDatabase(inject('postgres'), 'template0')
}
