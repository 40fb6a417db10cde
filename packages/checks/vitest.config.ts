/**
 * One vitest run over all packages and apps, against one real PostgreSQL (see @posthorn/engine/testing).
 *
 * Three workers: the machine that judges a change has two cores, and a third of the time of the tests is waiting, for a
 * retry, a lease, or a process that ends. Each worker runs one file after the other in one process, so that what all of
 * them need (Fastify, Prisma, the schemas) is loaded three times a run and not 250 times, which was half of the CPU of the
 * API's tests. That is safe because a module of ours keeps no state that changes: everything is made by whoever uses it.
 */
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'
import { ordered } from './src/run/file-order.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

class OurOrder extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return ordered(await super.sort(files), ({ moduleId }) => moduleId.slice(root.length))
  }
}

export default defineConfig({
  root,
  test: {
    root,
    include: ['packages/*/src/**/*.test.ts', 'apps/*/src/**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/generated/**'],
    globalSetup: 'packages/engine/src/testing/global-set-up.ts',
    pool: 'forks',
    maxWorkers: 3,
    isolate: false,
    sequence: { sequencer: OurOrder },
    testTimeout: 30_000,
    hookTimeout: 30_000,
    teardownTimeout: 30_000,
  },
})
