import { randomBytes } from 'node:crypto'
import { createTestDatabase } from '@posthorn/engine/testing'
import { expect, test } from 'vitest'
import { benchmarks } from './benchmarks/all.ts'
import type { Sizes } from './benchmarks/benchmark.ts'
import type { Row } from './report/row.ts'
import { table } from './report/table.ts'
import { runBenchmarks } from './run.ts'
import { prepareStage, type Stage } from './stage/stage.ts'

const sizes: Sizes = {
  drain: { deliveries: 200, subscriptions: 10 },
  drainWide: { deliveries: 100, subscriptions: 100 },
  backlog: {
    deliveries: 100,
    subscriptions: 10,
    waiting: [{ name: 'few', count: 10 }],
    scheduled: { name: 'later', count: 50 },
  },
  publish: { seconds: 0.5, warmUpSeconds: 0.1, tenants: 3 },
  latency: { seconds: 0.5, warmUpSeconds: 0.1, tenants: 3, perSecond: [50] },
  fairness: { seconds: 0.5, warmUpSeconds: 0.1, tenants: 3, perSecond: 50, rush: 20, silent: 2 },
  metrics: { attempts: [{ name: 'few', attempts: 20_000 }] },
}

/** The part of a row that does not depend on the machine. */
const expected: Record<string, readonly [string, goal: string | null, hasCeiling: boolean][]> = {
  drain: [
    ['drain', 'ratio >= 0.6', true],
    ['drain.cpu', null, true],
    ['drain.wal', null, false],
  ],
  'drain-wide': [
    ['drain-wide', 'ratio >= 0.4', true],
    ['drain-wide.cpu', null, true],
    ['drain-wide.wal', null, false],
  ],
  backlog: [
    ['backlog.few', null, true],
    ['backlog.few.claim-p50', null, false],
    ['backlog.few.claim-p99', null, false],
    ['backlog.later', null, true],
    ['backlog.later.claim-p50', null, false],
    ['backlog.later.claim-p99', null, false],
    ['backlog.slowdown', 'value <= 1.5', false],
    ['backlog.claim-slowdown', 'value <= 1.5', false],
  ],
  publish: [
    ['publish', 'ratio >= 0.25', true],
    ['publish.cpu', null, true],
    ['publish.wal', null, false],
    ['publish.delivering', null, true],
  ],
  latency: [
    ['latency.all.50.p50', 'value <= 10', true],
    ['latency.all.50.p99', 'value <= 100', true],
    ['latency.split.50.p50', 'value <= 10', true],
    ['latency.split.50.p99', 'value <= 100', true],
  ],
  fairness: [
    ['fairness.alone.p50', null, false],
    ['fairness.alone.p99', null, false],
    ['fairness.rush.p50', null, false],
    ['fairness.rush.p99', null, false],
    ['fairness.rush.slowdown', 'value <= 2', false],
    ['fairness.silent.p50', null, false],
    ['fairness.silent.p99', null, false],
    ['fairness.silent.slowdown', 'value <= 2', false],
  ],
  metrics: [
    ['metrics.few.tenant-day', 'value <= 100', false],
    ['metrics.few.tenant-week', 'value <= 100', false],
    ['metrics.few.all-day', 'value <= 3000', false],
    ['metrics.few.all-day-5m', 'value <= 3000', false],
    ['metrics.few.causes-day', 'value <= 3000', false],
    ['metrics.few.roll-up', null, false],
  ],
}

test('there is an expectation for every benchmark', () => {
  expect(Object.keys(expected)).toEqual(Object.keys(benchmarks))
})

/** Each starts a dozen processes, one after the other. */
const timeout = 120_000

test.each(Object.keys(expected))(
  '%s measures every figure it promises, and loses and doubles nothing',
  { timeout },
  async (name) => {
    const rows = await runBenchmarks({
      names: [name],
      runs: 1,
      sizes,
      world: { now: () => Date.now(), randomBytes: (count) => randomBytes(count) },
      stop: new AbortController().signal,
      openStage: testStage,
      quietMs: 0,
      tell: () => undefined,
    })
    // CPU is told on Linux only.
    const names = rows.map((row) => [row.name, row.goal, row.ceiling !== null])
    expect(names).toEqual(expect.arrayContaining(expected[name]?.filter(([each]) => !each.endsWith('cpu')) ?? []))
    expect(expected[name]).toEqual(expect.arrayContaining(names))
    for (const row of rows) expectMeasured(row)
    expect(table(rows).split('\n')).toHaveLength(rows.length + 1)
  },
)

function expectMeasured(row: Row): void {
  expect(row.value, row.name).toBeGreaterThan(0)
  expect(row.value, row.name).toBeLessThan(1e6)
  expect(row.runs).toEqual([row.value])
  expect(row.ratio === null).toBe(row.ceiling === null)
  expect(row.met === null).toBe(row.goal === null)
}

async function testStage(): Promise<Stage> {
  await using stack = new AsyncDisposableStack()
  const database = stack.use(await createTestDatabase())
  const stage = stack.use(await prepareStage(database.url, () => Date.now()))
  const parts = stack.move()
  return { db: stage.db, postgresPid: undefined, [Symbol.asyncDispose]: () => parts.disposeAsync() }
}
