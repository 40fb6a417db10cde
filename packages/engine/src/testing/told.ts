/**
 * What a test has found out beside that it passed: a size, a table of counts. The run of all checks prints it at its end.
 */
import type { TestContext } from 'vitest'

declare module 'vitest' {
  interface TaskMeta {
    /** Lines for whoever reads the output of the tests. */
    told?: string
  }
}

export function tell({ task }: Pick<TestContext, 'task'>, lines: string): void {
  task.meta.told = lines
}
